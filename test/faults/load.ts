import { setImmediate as turn } from 'node:timers/promises';
import { bytes, epochMs } from '../../config/units.js';
import { keyOfUri, type CacheKey } from '../../proxy/cache/cache-key.js';
import type { PurgeSelector } from '../../proxy/cache/purge.js';
import type { Generation, ResponseStore, ResponseWriter } from '../../proxy/cache/response-store.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { Fields } from '../../proxy/http/fields.js';
import { contentOf } from './content.js';
import type { Entry, Stated } from './ledger.js';
import type { History } from './history.js';
import type { Seeded } from './seeded.js';
import { metadataOf, seenOf, wrongBytes } from './seen.js';

const hosts = ['a.example', 'b.example'];
const variants = ['en', 'de'];
const allGroups = ['news', 'shop'];

/** All keys that a load uses. */
export const allKeys: readonly CacheKey[] = hosts.flatMap((host) =>
  Array.from({ length: 24 }, (_, i) => keyOfUri(`http://${host}/${i % 3}/${i}`, i % 8 === 7 ? 'site' : '')),
);

export interface LoadParts {
  readonly store: ResponseStore;
  readonly random: Seeded;
  readonly history: History;
  readonly note: (entry: Entry) => void;
  readonly wrong: (what: string) => void;
  /** Names operations, not given before. */
  readonly firstOperation: number;
  /** Whether reads may fail: it is being closed, or its disk or index does not do what it should. */
  readonly isUnwell: () => boolean;
  /** Whether what is found must be what was acknowledged; bytes must be right in any case. */
  readonly isJudged: boolean;
}

/** Stores, finds, freshens, completes, invalidates and purges at random, and checks all that it is given meanwhile. */
export class Load {
  readonly #parts: LoadParts;
  readonly #actions: readonly (readonly [number, () => Promise<void>])[];
  #operation: number;
  #stopped = false;

  constructor(parts: LoadParts) {
    this.#parts = parts;
    this.#operation = parts.firstOperation;
    this.#actions = [
      [30, () => this.#store()],
      [40, () => this.#use()],
      [8, () => this.#freshen()],
      [16, () => this.#complete()],
      [3, () => this.#remove()],
      [4, () => this.#invalidate()],
      [0.6, () => this.#invalidateGroup()],
      [2, () => this.#purge()],
    ];
  }

  /** Until `stop`. */
  async run(workers: number): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #work(): Promise<void> {
    const { random } = this.#parts;
    while (!this.#stopped) {
      await random.weighted(this.#actions)();
      await turn();
    }
  }

  async #store(): Promise<void> {
    const { random } = this.#parts;
    const key = random.pick(allKeys);
    const op = this.#operation++;
    const groups = allGroups.filter(() => random.chance(0.3));
    const stated = { op, key, variant: random.pick(variants), version: op, length: someLength(random), groups };
    const from = random.chance(0.12) ? random.below(stated.length + 1) : 0;
    const isKnown = from > 0 || random.chance(0.6);
    await this.#write(stated, { from, to: stated.length, isKnown, extend: null });
  }

  /** Adds to a part what follows one of its pieces, or some of it. */
  async #complete(): Promise<void> {
    const { random } = this.#parts;
    const part = (await this.#found(random.pick(allKeys))).find(({ complete }) => !complete);
    if (part === undefined) return;
    const { key, variant, version, length, groups } = seenOf(part);
    const first = part.held[0];
    const from = first === undefined || first.from > 0 ? 0 : first.to;
    const end = part.held.find((one) => one.from > from)?.from ?? length;
    const to = random.chance(0.3) ? random.between(from, end) : end;
    const stated = { op: this.#operation++, key, variant, version, length, groups };
    await this.#write(stated, { from, to, isKnown: true, extend: random.chance(0.9) ? part : null });
  }

  async #write(stated: Stated, place: { from: number; to: number; isKnown: boolean; extend: StoredResponse | null }) {
    const { store, random, note } = this.#parts;
    const { from, to, isKnown, extend } = place;
    note({ t: 'begin', ...stated });
    const generation = store.generation();
    const length = isKnown ? bytes(stated.length) : null;
    const draft = { metadata: metadataOf(stated), generation, from: bytes(from), length };
    const writer = store.write(extend === null ? draft : { ...draft, extend });
    if (writer === null) {
      note({ t: 'refused', op: stated.op });
      return;
    }
    const isBroken = random.chance(0.15);
    await this.#append(writer, stated, from, isBroken ? random.between(from, to) : to);
    if (isBroken && random.chance(0.4)) {
      await writer.abandon(false);
      return;
    }
    note({ t: 'end', op: stated.op });
    const stored = await (isBroken || to < stated.length ? writer.abandon(true) : writer.commit(Fields.none));
    this.#answered(stated.op, stored);
  }

  async #append(writer: ResponseWriter, { key, version }: Stated, from: number, to: number): Promise<void> {
    const { random } = this.#parts;
    for (let at = from; at < to;) {
      const next = Math.min(to, at + random.between(1, 100_000));
      if (!(await writer.append(contentOf(key, version, at, next)))) return;
      at = next;
    }
  }

  async #use(): Promise<void> {
    const { store, random } = this.#parts;
    const key = random.pick(allKeys);
    // what was only seen need not be readable when it is gone
    if (random.chance(0.2)) await this.#found(key, true);
    for (const stored of await this.#found(key)) {
      const { held } = stored;
      const piece = held.length === 0 ? { from: 0, to: 0 } : random.pick(held);
      const from = random.chance(0.5) ? piece.from : random.between(piece.from, piece.to);
      const to = random.chance(0.5) ? piece.to : random.between(from, piece.to);
      if (random.chance(0.1)) store.open(stored, bytes(from), bytes(to)).cancel();
      else await this.#read(stored, from, to);
    }
  }

  async #read(stored: StoredResponse, from: number, to: number): Promise<void> {
    const { store, wrong, isUnwell } = this.#parts;
    try {
      const failure = await wrongBytes(store, stored, from, to);
      if (failure === 'not what was stored') wrong(`the bytes ${from} to ${to} of ${describe(stored)}: WRONG BYTES`);
      else if (failure === null || isUnwell()) return;
      else if ((await store.peek(stored.key)).some(({ id }) => id === stored.id))
        wrong(`${describe(stored)}: ${failure}`);
    } catch (error) {
      if (!isUnwell()) wrong(`the bytes ${from} to ${to} of ${describe(stored)}: ${String(error)} ${causeOf(error)}`);
    }
  }

  /** What a look-up gives, judged. */
  async #found(key: CacheKey, isPeek = false): Promise<readonly StoredResponse[]> {
    const { store, history, wrong, isJudged } = this.#parts;
    const asked = history.now;
    const found = await (isPeek ? store.peek(key) : store.lookUp(key));
    for (const stored of found) {
      const fault = stored.key === key ? history.wrong(seenOf(stored), asked) : 'it has another key';
      if (fault !== null && isJudged) wrong(`${describe(stored)}: ${fault}`);
    }
    return found;
  }

  async #freshen(): Promise<void> {
    const { store, random, note } = this.#parts;
    const [stored] = await this.#found(random.pick(allKeys));
    if (stored === undefined) return;
    const { op: of, ...rest } = seenOf(stored);
    const stated = { ...rest, op: this.#operation++ };
    const { op } = stated;
    note({
      t: 'begin',
      of,
      op,
      key: rest.key,
      variant: rest.variant,
      version: rest.version,
      length: rest.length,
      groups: rest.groups,
    });
    const generation: Generation = store.generation();
    for (let turns = random.below(4); turns > 0; turns--) await turn();
    note({ t: 'end', op });
    this.#answered(op, await store.freshen(stored, metadataOf(stated), generation));
  }

  #answered(op: number, stored: StoredResponse | null): void {
    if (stored === null) this.#parts.note({ t: 'refused', op });
    else this.#parts.note({ t: 'kept', op, id: stored.id, held: stored.held, complete: stored.complete });
  }

  async #remove(): Promise<void> {
    const { store, random, note } = this.#parts;
    const [stored] = await this.#found(random.pick(allKeys), true);
    if (stored === undefined) return;
    const { key, variant, id } = seenOf(stored);
    const n = this.#operation++;
    note({ t: 'remove', n, key, variant, id });
    await store.remove(stored);
    note({ t: 'done', n });
  }

  async #invalidate(): Promise<void> {
    const { store, random, note } = this.#parts;
    const key = random.pick(allKeys);
    const n = this.#operation++;
    note({ t: 'invalidate', n, key });
    await store.invalidate(key);
    note({ t: 'done', n });
  }

  async #invalidateGroup(): Promise<void> {
    const { store, random, note } = this.#parts;
    const origin = `|http://${random.pick(hosts)}`;
    const group = random.pick(allGroups);
    const n = this.#operation++;
    note({ t: 'group', n, origin, group });
    await store.invalidateGroup(origin, group);
    note({ t: 'done', n });
  }

  async #purge(): Promise<void> {
    const { store, random, note } = this.#parts;
    const mode = random.chance(0.5) ? 'soft' : 'hard';
    const selector = someSelector(random);
    const n = this.#operation++;
    note({ t: 'purge', n, mode, selector });
    await store.purge(selector, mode, epochMs(2_000_000));
    note({ t: 'done', n });
  }
}

function someSelector(random: Seeded): PurgeSelector {
  const host = random.pick(hosts);
  const key = random.pick(allKeys);
  return random.weighted<PurgeSelector>([
    [20, { kind: 'uri', uris: [key.slice(key.indexOf('|') + 1)] }],
    [3, { kind: 'prefix', prefixes: [`http://${host}/${random.below(3)}/`] }],
    [1, { kind: 'host', host, origins: null }],
    [1, { kind: 'group', origins: [`http://${host}`], group: random.pick(allGroups) }],
  ]);
}

/** Short, in the index, around the bounds of the index and of a block, and of many blocks. */
const someLength = (random: Seeded): number =>
  random.weighted([
    [5, 0],
    [25, random.between(1, 300)],
    [20, random.between(300, 16_000)],
    [8, 16 * 1024 + random.between(-2, 2)],
    [20, random.between(16_000, 65_000)],
    [8, 64 * 1024 + random.between(-2, 2)],
    [12, random.between(65_000, 400_000)],
    [2, random.between(400_000, 1_500_000)],
  ]);

const describe = (stored: StoredResponse): string => JSON.stringify(seenOf(stored));

const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
