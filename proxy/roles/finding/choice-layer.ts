import { join } from 'node:path';
import { choiceModule } from '../../../config/files.js';
import type { Config } from '../../../config/schema.js';
import type { EpochMs } from '../../../config/units.js';
import { checkedPolicy } from '../../../wlis/choice/checked-policy.js';
import type { ChoicePolicy } from '../../../wlis/choice/choice.js';
import { ChoiceRules } from '../../../wlis/choice/choice-rules.js';
import { GroupChooser, type ChoiceSettings } from '../../../wlis/choice/group-chooser.js';
import { placeOf } from '../../../wlis/choice/own-place.js';
import { policyNamed, type PolicyName } from '../../../wlis/choice/policies.js';
import { loadPolicy } from '../../../wlis/choice/policy-module.js';
import type { NodeReach } from '../../../wlis/directory/node-reach.js';
import { HealthFile } from '../../../wlis/health/health-file.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { NamespacesInUse } from '../../../wlis/health/namespaces-in-use.js';
import { Positions } from '../../../wlis/health/positions.js';
import { Probes } from '../../../wlis/health/probes.js';
import { ServedSamples } from '../../../wlis/health/served-samples.js';
import { formatProxyUri } from '../../../config/origin-uri.js';
import type { Clock } from '../../base/clock.js';
import { Labelled } from '../../base/labelled.js';
import type { Logger } from '../../base/logger.js';
import { Counter } from '../../base/metrics.js';
import type { FileContents } from '../file-contents.js';
import { RefusedConfiguration } from '../refused-configuration.js';

export interface ChoiceLayerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/** Choosing as another configuration wants it. Nothing is open until it is committed. */
export interface PreparedChoice {
  /** Cannot fail. @param reach how others are called to find out how they are; null where nobody is to be */
  commit(reach: NodeReach | null): void;
}

/** What a node knows of the health of others, and how it chooses among them, as its configuration changes. */
export class ChoiceLayer {
  readonly health: HealthTable;
  readonly positions: Positions;
  readonly chooser: GroupChooser;
  readonly failures = new Labelled(['reason'], () => new Counter(), 8);
  /** Of what was served, for probes. */
  readonly samples = new ServedSamples();
  readonly #probes: Probes;
  readonly #options: ChoiceLayerOptions;
  #file: { readonly path: string; readonly file: HealthFile } | null = null;
  /** The last one that is no longer wanted, until it is written. */
  #leaving: Promise<void> = Promise.resolve();

  constructor(options: ChoiceLayerOptions) {
    const { clock, now } = options;
    this.#options = options;
    this.health = new HealthTable({ clock, onFailure: (_, reason) => this.failures.of(reason).add() });
    this.positions = new Positions(clock);
    const { health, positions, samples } = this;
    const inUse = new NamespacesInUse();
    this.chooser = new GroupChooser({ health, positions, now, inUse }, untilConfigured);
    this.#probes = new Probes({ health, inUse, samples, clock, now });
  }

  /** Reads what can fail, and changes nothing. @throws RefusedConfiguration */
  async prepare(config: Config, files: FileContents): Promise<PreparedChoice> {
    const settings = await this.#settings(config, files);
    const path = join(config.node.data, 'finding', 'health.json');
    const opened = this.#file?.path === path ? null : { path, file: await this.#open(path) };
    return {
      commit: (reach) => {
        this.chooser.configure(settings);
        const { patience } = config.clientSide;
        this.#probes.configure(reach && { reach, patience, ownUrl: settings.ownUrl });
        if (opened === null) return;
        const before = this.#file;
        this.#file = opened;
        opened.file.begin();
        this.#leaving = Promise.all([this.#leaving, before?.file.close()]).then(() => undefined);
      },
    };
  }

  /** Writes down what is known. Idempotent. */
  async stop(): Promise<void> {
    await this.#probes.stop();
    await this.#leaving;
    await this.#file?.file.close();
  }

  #open(path: string): Promise<HealthFile> {
    const { clock, logger } = this.#options;
    return HealthFile.open({ path, table: this.health, clock, logger });
  }

  async #settings(config: Config, files: FileContents): Promise<ChoiceSettings> {
    const { choice: name, rules } = config.clientSide;
    const { url } = config.node;
    return {
      name,
      policy: await this.#policy(config, files),
      rules: new ChoiceRules(rules),
      ownUrl: url === null ? null : formatProxyUri(url),
    };
  }

  async #policy({ node, clientSide: { choice } }: Config, files: FileContents): Promise<ChoicePolicy> {
    const own = placeOf(node.geo);
    const path = choiceModule(choice);
    if (path === null) return policyNamed(choice as PolicyName, own);
    const { logger, clock } = this.#options;
    try {
      const policy = await loadPolicy(path, files.text(path));
      return checkedPolicy({ policy, path, instead: policyNamed('nearest', own), logger, clock });
    } catch (error) {
      const got = `${path} (${error instanceof Error ? error.message : String(error)})`;
      throw new RefusedConfiguration([{ key: 'clientSide.choice', expected: 'a module with a choice', got }]);
    }
  }
}

const untilConfigured: ChoiceSettings = {
  name: 'nearest',
  policy: policyNamed('nearest', null),
  rules: new ChoiceRules([]),
  ownUrl: null,
};
