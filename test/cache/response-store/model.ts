import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs } from '../../../config/units.js';
import { originOfKey, uriOfKey } from '../../../proxy/cache/cache-key.js';
import type { PurgeMode, PurgeSelector } from '../../../proxy/cache/purge.js';
import type { Generation, ResponseStore, ResponseWriter } from '../../../proxy/cache/response-store.js';
import type { ResponseMetadata, StoredResponse } from '../../../proxy/cache/stored-response.js';
import { readAll, type Body } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { runCount } from '../../support/run-count.js';
import { draft, key, metadata, varying, type CreateStore } from './samples.js';

const keys = [key('/a'), key('/b')];
const variants = [varying('en'), varying('de'), { names: [], values: [] }];
const contents = ['ABCDEFGHIJKLMNOPQRSTUVWX', 'abcdefghijklmnopqrstuvwx'];
const size = 24;
const now = epochMs(2_000_000);

/** Which key, which of its variants, and which of two representations; each representation has a group of its own. */
interface Place {
  readonly key: number;
  readonly variant: number;
  readonly content: number;
}

type Operation =
  | {
      readonly do: 'begin';
      readonly place: Place;
      readonly from: number;
      readonly known: boolean;
      readonly extend: boolean;
    }
  | { readonly do: 'append'; readonly writer: number; readonly count: number }
  | { readonly do: 'end'; readonly writer: number; readonly how: 'commit' | 'keep' | 'drop' }
  | { readonly do: 'freshen'; readonly key: number; readonly nth: number; readonly remembered: boolean }
  | { readonly do: 'remove'; readonly key: number; readonly nth: number }
  | { readonly do: 'open'; readonly key: number; readonly nth: number }
  | { readonly do: 'remember' }
  | { readonly do: 'invalidate'; readonly key: number }
  | { readonly do: 'invalidate-group'; readonly content: number }
  | { readonly do: 'purge'; readonly by: 'key' | 'content'; readonly nth: number; readonly mode: PurgeMode };

/** What the store is to hold: one array of positions a response. */
interface Expected {
  readonly place: Place;
  readonly held: readonly boolean[];
  readonly length: number | null;
  readonly complete: boolean;
  invalidated: boolean;
  purged: boolean;
  /** What the store gave for it, the current version. */
  stored: StoredResponse;
}

interface Writing {
  readonly writer: ResponseWriter;
  readonly place: Place;
  readonly from: number;
  readonly length: number | null;
  readonly base: readonly boolean[];
  readonly begun: number;
  received: number;
}

const nothingHeld: readonly boolean[] = Array.from({ length: size }, () => false);

/** Does the same to a store and to lists of positions, and compares after each step. */
class Comparison {
  readonly #stored: Expected[][] = keys.map(() => []);
  readonly #writing: Writing[] = [];
  readonly #open: { readonly body: Body; readonly text: string }[] = [];
  /** Number of invalidations and purges so far, and at which of them what happened to each subject last. */
  #time = 0;
  readonly #lastOf = new Map<string, number>();
  #remembered: { readonly generation: Generation; readonly time: number };

  constructor(private readonly store: ResponseStore) {
    this.#remembered = { generation: store.generation(), time: 0 };
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'begin': {
        this.#begin(operation);
        return;
      }
      case 'append':
        return this.#append(operation);
      case 'end':
        return this.#end(operation);
      case 'freshen':
        return this.#freshen(operation);
      case 'remove': {
        const expected = this.#stored[operation.key]?.[operation.nth];
        if (expected === undefined) return;
        this.#stored[operation.key]?.splice(operation.nth, 1);
        return this.store.remove(expected.stored);
      }
      case 'open': {
        this.#openOne(operation);
        return;
      }
      case 'remember':
        this.#remembered = { generation: this.store.generation(), time: this.#time };
        return;
      case 'invalidate':
        this.#lastOf.set(`invalidated, key ${operation.key}`, ++this.#time);
        for (const one of this.#stored[operation.key] ?? []) one.invalidated = true;
        return this.store.invalidate(keys[operation.key]!);
      case 'invalidate-group':
        this.#lastOf.set(`invalidated, content ${operation.content}`, ++this.#time);
        for (const one of this.#stored.flat()) if (one.place.content === operation.content) one.invalidated = true;
        return this.store.invalidateGroup(originOfKey(keys[0]!), `g${operation.content}`);
      case 'purge':
        return this.#purge(operation);
    }
  }

  async check(): Promise<void> {
    for (const [i, expected] of this.#stored.entries()) {
      const found = await this.store.peek(keys[i]!);
      assert.deepEqual(found.map(summary), expected.map(expectedSummary));
      for (const [j, stored] of found.entries()) {
        for (const { from, to } of stored.held) {
          const text = await this.#read(this.store.open(stored, from, to));
          assert.equal(text, contents[expected[j]!.place.content]!.slice(from, to));
        }
      }
    }
    assert.equal(this.store.usage().responses, this.#stored.flat().length);
  }

  /** Ends all that is under way; then nothing may be left but what is stored. */
  async finish(): Promise<void> {
    for (const { writer } of this.#writing) await writer.abandon(false);
    for (const { body, text } of this.#open) assert.equal(await this.#read(body), text);
    for (const { stored } of this.#stored.flat()) await this.store.remove(stored);
    assert.equal(this.store.usage().bytes, 0);
  }

  #begin({ place, from, known, extend }: Operation & { do: 'begin' }): void {
    const length = known ? size : null;
    const extended = extend ? this.#stored[place.key]?.find((one) => canExtend(one, place, length)) : undefined;
    const at = known || extended !== undefined ? from : 0;
    const writer = this.store.write(
      draft(this.store, metadataOf(place), {
        from: bytes(at),
        length: length === null ? null : bytes(length),
        ...(extended && { extend: extended.stored }),
      }),
    );
    assert.ok(writer, 'no writer');
    const base = extended?.held ?? nothingHeld;
    this.#writing.push({ writer, place, from: at, length, base, begun: this.#time, received: 0 });
  }

  async #append({ writer, count }: Operation & { do: 'append' }): Promise<void> {
    const writing = this.#writing[writer];
    if (writing === undefined) return;
    const at = writing.from + writing.received;
    const chunk = Buffer.from(contents[writing.place.content]!.slice(at, at + count));
    assert.equal(await writing.writer.append(chunk), true);
    writing.received += chunk.length;
  }

  async #end({ writer, how }: Operation & { do: 'end' }): Promise<void> {
    const [writing] = this.#writing.splice(writer, 1);
    if (writing === undefined) return;
    const stored = await (how === 'commit'
      ? writing.writer.commit(Fields.none)
      : writing.writer.abandon(how === 'keep'));
    const expected = how === 'drop' ? null : this.#resultOf(writing, how === 'commit');
    assert.equal(stored === null, expected === null);
    if (stored === null || expected === null) return;
    this.#place({ ...expected, stored }, null);
  }

  #resultOf(writing: Writing, isCommit: boolean): Omit<Expected, 'stored'> | null {
    const { place, from, received, base } = writing;
    const here = from + received;
    if (!isCommit && received === 0) return null;
    const held = base.map((one, i) => one || (i >= from && i < here));
    const length = writing.length ?? (isCommit && !held.includes(true, here) ? here : null);
    const complete = length !== null && !held.slice(0, length).includes(false);
    if (!complete && (!held.includes(true) || this.#twinOf(place)?.complete === true)) return null;
    if (this.#was('purged hard', place, writing.begun)) return null;
    const [invalidated, purged] = this.#fateSince(place, writing.begun);
    return { place, held, length, complete, invalidated, purged };
  }

  async #freshen({ key: of, nth, remembered }: Operation & { do: 'freshen' }): Promise<void> {
    const expected = this.#stored[of]?.[nth];
    if (expected === undefined) return;
    const now = { generation: this.store.generation(), time: this.#time };
    const { generation, time } = remembered ? this.#remembered : now;
    const stored = await this.store.freshen(expected.stored, metadataOf(expected.place), generation);
    assert.equal(stored === null, this.#was('purged hard', expected.place, time));
    if (stored === null) return;
    const [invalidated, purged] = this.#fateSince(expected.place, time);
    this.#place({ ...expected, stored, invalidated, purged }, expected);
  }

  #openOne({ key: of, nth }: Operation & { do: 'open' }): void {
    const expected = this.#stored[of]?.[nth];
    const held = expected?.stored.held.at(-1);
    if (expected === undefined || held === undefined) return;
    const text = contents[expected.place.content]!.slice(held.from, held.to);
    this.#open.push({ body: this.store.open(expected.stored, held.from, held.to), text });
  }

  #place(expected: Expected, instead: Expected | null): void {
    const { key: of, variant } = expected.place;
    const others = this.#stored[of]!.filter((one) => one !== instead && one.place.variant !== variant);
    this.#stored[of] = [expected, ...others];
  }

  #twinOf({ key: of, variant }: Place): Expected | undefined {
    return this.#stored[of]?.find((one) => one.place.variant === variant);
  }

  async #purge({ by, nth, mode }: Operation & { do: 'purge' }): Promise<void> {
    this.#lastOf.set(`purged ${mode}, ${by} ${nth}`, ++this.#time);
    const isDue = ({ place }: Expected): boolean => place[by] === nth;
    const due = this.#stored.flat().filter(isDue);
    for (const one of due) one.purged = true;
    if (mode === 'hard')
      for (const [i, list] of this.#stored.entries()) this.#stored[i] = list.filter((one) => !isDue(one));
    const selector: PurgeSelector =
      by === 'key'
        ? { kind: 'uri', uris: [uriOfKey(keys[nth]!)] }
        : { kind: 'group', origins: ['http://example.com'], group: `g${nth}` };
    assert.equal(await this.store.purge(selector, mode, now), due.length);
  }

  #fateSince(place: Place, since: number): [invalidated: boolean, purged: boolean] {
    return [this.#was('invalidated', place, since), this.#was('purged soft', place, since)];
  }

  #was(what: 'invalidated' | `purged ${PurgeMode}`, place: Place, since: number): boolean {
    const of = [this.#lastOf.get(`${what}, key ${place.key}`), this.#lastOf.get(`${what}, content ${place.content}`)];
    return of.some((time) => (time ?? 0) > since);
  }

  async #read(body: Body): Promise<string> {
    return (await readAll(body, bytes(size))).toString();
  }
}

/** The same representation, of a length that does not contradict; of unknown length only where both are. */
const canExtend = ({ place, length }: Expected, other: Place, announced: number | null): boolean =>
  place.content === other.content && (length === null || length === announced);

const metadataOf = ({ key: of, variant, content }: Place): ResponseMetadata =>
  metadata({
    key: keys[of]!,
    selecting: variants[variant]!,
    fields: Fields.of({ ETag: `"${content}"` }),
    groups: [`g${content}`],
  });

const summary = (stored: StoredResponse): unknown => {
  const { id, length, held, complete, invalidated, freshness, fields, selecting } = stored;
  return {
    id,
    length,
    complete,
    invalidated,
    purged: freshness.lifetimeSource === 'purged',
    tag: fields.first('etag'),
    selecting,
    held: Array.from({ length: size }, (_, i) => held.some(({ from, to }) => from <= i && i < to)),
    isNormal: held.every(({ from, to }, i) => from < to && (i === 0 || from > held[i - 1]!.to)),
  };
};

const expectedSummary = ({ stored, length, complete, invalidated, purged, place, held }: Expected): unknown => ({
  id: stored.id,
  length,
  complete,
  invalidated,
  purged,
  tag: `"${place.content}"`,
  selecting: variants[place.variant],
  held,
  isNormal: true,
});

const below = (n: number): fc.Arbitrary<number> => fc.nat({ max: n - 1 });
const place = fc.record({ key: below(2), variant: below(3), content: below(2) });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      place,
      from: below(size),
      known: fc.boolean(),
      extend: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), writer: below(3), count: fc.nat({ max: size }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      writer: below(3),
      how: fc.constantFrom('commit', 'keep', 'drop'),
    }),
  },
  fc.record({ do: fc.constant('freshen' as const), key: below(2), nth: below(3), remembered: fc.boolean() }),
  fc.record({ do: fc.constant('remove' as const), key: below(2), nth: below(3) }),
  fc.record({ do: fc.constant('open' as const), key: below(2), nth: below(3) }),
  fc.record({ do: fc.constant('remember' as const) }),
  fc.record({ do: fc.constant('invalidate' as const), key: below(2) }),
  fc.record({ do: fc.constant('invalidate-group' as const), content: below(2) }),
  fc.record({
    do: fc.constant('purge' as const),
    by: fc.constantFrom('key' as const, 'content' as const),
    nth: below(2),
    mode: fc.constantFrom('soft' as const, 'hard' as const),
  }),
);

/** Random histories against a model that has only arrays. */
export function describeModel(createStore: CreateStore): void {
  it('does in any order of operations what a plain list of responses would do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (operations) => {
        const store = await createStore();
        const comparison = new Comparison(store);
        for (const one of operations) {
          await comparison.apply(one);
          await comparison.check();
        }
        await comparison.finish();
        await store.close();
      }),
      { numRuns: runCount(300) },
    );
  });
}
