import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Question, Ranked } from './choice.js';

/**
 * Remembers where each client gets a live stream from, of which every few seconds another piece is asked for: it does not hop
 * from node to node with each of them, and a player that measures its way measures one.
 */
export class StreamHold {
  readonly #most: number;
  readonly #held = new Map<string, { readonly url: string; readonly at: MonotonicMs }>();

  constructor(most = 4096) {
    this.#most = most;
  }

  /** The same order with the node that the stream came from before at its beginning, while that is well. */
  kept(ranked: readonly Ranked[], question: Question): readonly Ranked[] {
    if (ranked.length === 0 || question.client === '' || !isPieceOfStream(question.path)) return ranked;
    const key = `${question.client}\n${directoryOf(question.uri)}`;
    const before = this.#held.get(key);
    const isGoingOn = before !== undefined && elapsedMonotonic(before.at, question.now) < goesOn;
    const isSame = ({ candidate: { url, health } }: Ranked): boolean =>
      url === before?.url && health.breaker === 'closed';
    const same = isGoingOn ? ranked.find(isSame) : undefined;
    const order = same === undefined ? ranked : [same, ...ranked.filter((one) => one !== same)];
    this.#remember(key, order[0] ?? null, question.now);
    return order;
  }

  #remember(key: string, first: Ranked | null, at: MonotonicMs): void {
    this.#held.delete(key);
    if (first === null) return;
    const [oldest] = this.#held.keys();
    if (this.#held.size >= this.#most && oldest !== undefined) this.#held.delete(oldest);
    this.#held.set(key, { url: first.candidate.url, at });
  }
}

/** Of HLS (RFC 8216) and MPEG-DASH: lists that change while they are read, and the pieces that they name. */
const isPieceOfStream = (path: string): boolean => /\.(?:m3u8|mpd|ts|m4s|m4v|m4a|cmf[vat]|aac|vtt)(?:\?|$)/i.test(path);

const directoryOf = (uri: string): string => {
  const query = uri.indexOf('?');
  return uri.slice(0, uri.lastIndexOf('/', query === -1 ? uri.length : query) + 1);
};

const goesOn = milliseconds(60_000);
