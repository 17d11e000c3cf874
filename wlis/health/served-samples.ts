import type { Bytes } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import type { Digest } from '../trust/digest.js';

/** The beginning of a content that was served and verified, by which it can be asked whether a node serves what it holds. */
export interface ServedSample {
  /** Of the content. */
  readonly content: Digest;
  /** Of its first block, which is all of a short content. */
  readonly block: { readonly digest: Digest; readonly size: Bytes };
  /** Of the document in the namespace: not every replica holds it. */
  readonly path: string;
}

/** Is told of contents that were served. */
export interface SampleTaker {
  served(namespace: Namespace, sample: ServedSample): void;
}

/** The last content that was served of each namespace. Nothing large, so that to ask for it is cheap. */
export class ServedSamples implements SampleTaker {
  readonly #most: number;
  readonly #samples = new Map<Namespace, ServedSample>();

  constructor(most = 1024) {
    this.#most = most;
  }

  of(namespace: Namespace): ServedSample | null {
    return this.#samples.get(namespace) ?? null;
  }

  served(namespace: Namespace, sample: ServedSample): void {
    const { size } = sample.block;
    if (size === 0 || size > largest) return;
    this.#samples.delete(namespace);
    const [oldest] = this.#samples.keys();
    if (this.#samples.size >= this.#most && oldest !== undefined) this.#samples.delete(oldest);
    this.#samples.set(namespace, sample);
  }
}

const largest = 65_536;
