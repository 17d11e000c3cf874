import { join } from 'node:path';
import { choiceModule } from '../../../config/files.js';
import type { Config } from '../../../config/schema.js';
import type { EpochMs } from '../../../config/units.js';
import { checkedPolicy } from '../../../wlis/choice/checked-policy.js';
import type { ChoicePolicy } from '../../../wlis/choice/choice.js';
import { ChoiceRules } from '../../../wlis/choice/choice-rules.js';
import { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import { ChoicesFile } from '../../../wlis/choice/choices-file.js';
import { GroupChooser, type ChoiceSettings } from '../../../wlis/choice/group-chooser.js';
import { placeOf } from '../../../wlis/choice/own-place.js';
import { policyNamed, type PolicyName } from '../../../wlis/choice/policies.js';
import { loadPolicy } from '../../../wlis/choice/policy-module.js';
import { ReaderChoices } from '../../../wlis/choice/reader-choices.js';
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
  /** Whom readers want to get pages from. */
  readonly readers = new ReaderChoices();
  readonly tokens = new ChoiceTokens(() => this.#secret);
  readonly #probes: Probes;
  readonly #options: ChoiceLayerOptions;
  #file: Files | null = null;
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
    const directory = join(config.node.data, 'finding');
    const opened = this.#file?.directory === directory ? null : await this.#open(directory);
    return {
      commit: (reach) => {
        this.chooser.configure(settings);
        const { patience } = config.clientSide;
        this.#probes.configure(reach && { reach, patience, ownUrl: settings.ownUrl });
        if (opened === null) return;
        const before = this.#file;
        this.#file = opened;
        opened.health.begin();
        opened.choices.begin();
        const closed = [before?.health.close(), before?.choices.close()];
        this.#leaving = Promise.all([this.#leaving, ...closed]).then(() => undefined);
      },
    };
  }

  /** Writes down what is known. Idempotent. */
  async stop(): Promise<void> {
    await this.#probes.stop();
    await this.#leaving;
    await this.#file?.health.close();
    await this.#file?.choices.close();
  }

  get #secret(): Buffer {
    if (this.#file === null) throw new Error('nothing is configured yet');
    return this.#file.choices.secret;
  }

  async #open(directory: string): Promise<Files> {
    const { clock, logger } = this.#options;
    const health = HealthFile.open({ path: join(directory, 'health.json'), table: this.health, clock, logger });
    const choices = ChoicesFile.open({ path: join(directory, 'choices.json'), choices: this.readers, logger });
    return { directory, health: await health, choices: await choices };
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

/** What is remembered below `node.data`. */
interface Files {
  readonly directory: string;
  readonly health: HealthFile;
  readonly choices: ChoicesFile;
}

const untilConfigured: ChoiceSettings = {
  name: 'nearest',
  policy: policyNamed('nearest', null),
  rules: new ChoiceRules([]),
  ownUrl: null,
};
