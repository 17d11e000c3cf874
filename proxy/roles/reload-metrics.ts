import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { Labelled } from '../base/labelled.js';
import { Counter, type Registry } from '../base/metrics.js';

/** What became of a configuration that was to be put in force. */
export type ReloadResult = 'applied' | 'unchanged' | 'refused';

/** Counts changes of the configuration. */
export class ReloadMetrics {
  readonly #clock: Clock;
  readonly #results = new Labelled(['result'], () => new Counter());
  #lastSuccessful = true;
  #inForceSince: EpochMs;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    this.#inForceSince = clock.now();
    for (const result of ['applied', 'unchanged', 'refused']) this.#results.of(result);
    registry.readEach({
      ...{ type: 'counter', name: 'willis_config_reloads_total', help: 'Reloads of the configuration.' },
      of: this.#results,
      value: ({ value }) => value,
    });
    registry.read({
      ...{ type: 'gauge', name: 'willis_config_last_reload_successful' },
      help: 'Whether the configuration as it stands is in force.',
      value: () => Number(this.#lastSuccessful),
    });
    registry.read({
      ...{ type: 'gauge', name: 'willis_config_last_reload_success_timestamp_seconds' },
      help: 'When the configuration that is in force was put in force.',
      value: () => this.#inForceSince / 1000,
    });
  }

  count(result: ReloadResult): void {
    this.#results.of(result).add();
    this.#lastSuccessful = result !== 'refused';
    if (result === 'applied') this.#inForceSince = this.#clock.now();
  }
}
