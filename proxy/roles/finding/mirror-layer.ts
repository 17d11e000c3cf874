import type { Config } from '../../../config/schema.js';
import type { ChoiceExplanation } from '../../../wlis/choice/choice-explanation.js';
import { explainMirrors } from '../../../wlis/mirrors/explained-mirrors.js';
import { parseMirrorList } from '../../../wlis/mirrors/mirror-list.js';
import { LearnedOriginals } from '../../../wlis/mirrors/learned-originals.js';
import { MirrorCounts } from '../../../wlis/mirrors/mirror-counts.js';
import type { MirrorGround } from '../../../wlis/mirrors/mirror-errand.js';
import { MirrorTrials } from '../../../wlis/mirrors/mirror-trials.js';
import { mirrorSetFor, MirrorSet } from '../../../wlis/mirrors/mirror-set.js';
import { MirrorUpstream } from '../../../wlis/mirrors/mirror-upstream.js';
import { UnusablePlaces } from '../../../wlis/mirrors/unusable-places.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { OutgoingRequest, Upstream } from '../../forward/upstream.js';
import type { TargetUri } from '../../http/target-uri.js';
import type { FileContents } from '../file-contents.js';
import type { ChoiceLayer } from './choice-layer.js';

export interface MirrorLayerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly choice: Pick<ChoiceLayer, 'health' | 'chooser'>;
}

/** What a node knows of mirrors that are ordinary servers, through every change of its configuration. */
export class MirrorLayer {
  readonly ground: MirrorGround;
  readonly #chooser: ChoiceLayer['chooser'];
  /** Read once for each configuration. */
  readonly #sets = new WeakMap<Config, readonly MirrorSet[]>();

  constructor({ clock, logger, choice: { health, chooser } }: MirrorLayerOptions) {
    this.#chooser = chooser;
    this.ground = {
      ...{ clock, logger, health, chooser },
      attempts: health,
      chance: Math.random,
      learned: new LearnedOriginals(),
      unusable: new UnusablePlaces(),
      trials: new MirrorTrials({ attempts: health, health }),
      counts: new MirrorCounts(),
    };
  }

  /** The upstream, and mirrors beside it where the configuration has some. */
  around(upstream: Upstream, config: Config, files: Pick<FileContents, 'text'>): Upstream {
    const { mirrors, attempts, patience } = config.clientSide;
    if (mirrors.length === 0) return upstream;
    const sets = this.#setsOf(config, files);
    const { heuristicFraction, heuristicMax, negative } = config.cache;
    const freshness = { heuristicFraction, heuristicMax, negative };
    return new MirrorUpstream(upstream, this.ground, { sets, attempts, patience, freshness });
  }

  /** From whom a request of the forward proxy would be got; null if mirrors have no part in it. */
  explain(
    { method, target, fields }: Pick<OutgoingRequest, 'method' | 'target' | 'fields'>,
    config: Config,
    files: Pick<FileContents, 'text'>,
  ): ChoiceExplanation | null {
    const ground = { ...this.ground, chooser: this.#chooser };
    return explainMirrors({ method, target, fields, body: null }, ground, { sets: this.#setsOf(config, files) });
  }

  /** Who mirrors a target; null where nobody does. */
  setFor(target: TargetUri, config: Config, files: Pick<FileContents, 'text'>): MirrorSet | null {
    return mirrorSetFor(this.#setsOf(config, files), target);
  }

  /** Idempotent. */
  stop(): void {
    this.ground.trials.stop();
  }

  #setsOf(config: Config, files: Pick<FileContents, 'text'>): readonly MirrorSet[] {
    const known = this.#sets.get(config);
    if (known !== undefined) return known;
    const sets = config.clientSide.mirrors.map(({ of, at, list, trust }) => {
      const read = list === null ? null : parseMirrorList(files.text(list));
      // a list that cannot be read has kept this configuration from coming so far
      return new MirrorSet({ of, at, trust, list: read !== null && 'list' in read ? read.list : null });
    });
    this.#sets.set(config, sets);
    return sets;
  }
}
