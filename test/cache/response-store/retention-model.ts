import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import type { ResponseStore } from '../../../proxy/cache/response-store.js';
import { mostPinned, noRetention, type Retention } from '../../../proxy/cache/retention.js';
import { Fields } from '../../../proxy/http/fields.js';
import { inAll, keeping, ofClass } from './retained.js';
import { runCount } from '../../support/run-count.js';
import { draft, isStored, key, metadata, type CreateStore } from './samples.js';

const limit = bytes(120 * 1024);
const names = ['a', 'b', 'c'] as const;

/** Those that come up one after the other. */
const retentions: readonly Retention[] = [
  noRetention,
  keeping({ '/a/': { pinned: true }, '/b/': { maxBytes: 30_000 } }),
  keeping({ '/a/': { maxBytes: 30_000 }, '/b/': { pinned: true } }),
  keeping({ '/b/': { pinned: true, maxBytes: 30_000 }, '/c/': { maxBytes: 50_000 } }),
  keeping({ '/a/1': { pinned: true }, '/a/': { maxBytes: 20_000 }, '/c/': { pinned: true } }),
];

type Operation =
  | {
      readonly do: 'put';
      readonly path: string;
      readonly size: number;
      readonly known: boolean;
      readonly whole: boolean;
    }
  | { readonly do: 'use' | 'remove' | 'freshen'; readonly path: string; readonly more: number }
  | { readonly do: 'retain'; readonly nth: number };

/** Does to a store what comes, and knows what must be in it: what was pinned from when it was stored or seen. */
class History {
  #retention = noRetention;
  #isSettled = true;
  #settling: Promise<void> = Promise.resolve();
  readonly #kept = new Set<string>();

  constructor(private readonly store: ResponseStore) {}

  async apply(operation: Operation): Promise<void> {
    switch (operation.do) {
      case 'put':
        return this.#put(operation);
      case 'use': {
        await this.store.lookUp(key(operation.path));
        return;
      }
      case 'remove': {
        this.#kept.delete(operation.path);
        for (const one of await this.store.peek(key(operation.path))) await this.store.remove(one);
        return;
      }
      case 'freshen': {
        const [stored] = await this.store.peek(key(operation.path));
        const fields = Fields.of({ ETag: '"1"', 'X-More': 'm'.repeat(operation.more) });
        const renewed = metadata({ key: key(operation.path), fields });
        if (stored !== undefined) await this.store.freshen(stored, renewed, this.store.generation());
        return;
      }
      case 'retain':
        return this.#retain(operation.nth);
    }
  }

  async check(): Promise<void> {
    const { bytes: taken, responses } = this.store.usage();
    assert.ok(taken <= limit, `${taken} bytes`);
    assert.deepEqual(inAll(this.store), { responses, bytes: taken });
    for (const path of this.#kept) assert.ok(await isStored(this.store, key(path)), `${path} is pinned`);
    if (!this.#isSettled) return;
    for (const { name, maxBytes, pinned } of this.#retention.classes) {
      const size = ofClass(this.store, name).bytes;
      if (maxBytes !== null && !pinned) assert.ok(size <= maxBytes, `${name} has ${size} bytes`);
    }
  }

  async #put({ path, size, known, whole }: Operation & { do: 'put' }): Promise<void> {
    const before = this.#pinnedBytes();
    const place = known ? { length: bytes(size) } : {};
    const writer = this.store.write(draft(this.store, { key: key(path) }, place));
    if (writer === null) return;
    await writer.append(Buffer.alloc(size));
    const stored = await (whole ? writer.commit(Fields.none) : writer.abandon(true));
    if (stored === null) return;
    if (this.#isPinned(path)) this.#kept.add(path);
    const after = this.#pinnedBytes();
    assert.ok(after <= Math.max(before, mostPinned(limit)), `${after} bytes are pinned`);
  }

  /** Waits for it every other time; what the rules before still evict is not said to be pinned by these. */
  async #retain(nth: number): Promise<void> {
    await this.#settling;
    this.#retention = retentions[nth] ?? noRetention;
    const done = this.store.retain(this.#retention);
    this.#settling = done;
    for (const path of this.#kept) if (!this.#isPinned(path)) this.#kept.delete(path);
    this.#isSettled = nth % 2 === 0;
    if (this.#isSettled) await done;
    for (const path of everyPath)
      if (this.#isPinned(path) && (await isStored(this.store, key(path)))) this.#kept.add(path);
  }

  #isPinned(path: string): boolean {
    return this.#retention.classOf(key(path)).pinned;
  }

  #pinnedBytes(): number {
    return this.store.classes().reduce((sum, { pinned, bytes: size }) => sum + (pinned ? size : 0), 0);
  }
}

const everyPath = names.flatMap((name) => Array.from({ length: 20 }, (_, i) => `/${name}/${i}`));
const path = fc.constantFrom(...everyPath);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      path,
      size: fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 20_000 })),
      known: fc.boolean(),
      whole: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('use', 'remove', 'freshen'), path, more: fc.nat({ max: 3000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('retain' as const), nth: fc.nat({ max: retentions.length - 1 }) }),
  },
);

/** Random histories in which it changes what is pinned. */
export function describeRetentionModel(createStore: CreateStore): void {
  it('keeps to all bounds and to all that is pinned, whatever is stored, used, removed or pinned', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 120, size: 'max' }), async (operations) => {
        const store = await createStore({ limit });
        const history = new History(store);
        for (const one of operations) {
          await history.apply(one);
          await history.check();
        }
        await store.close();
      }),
      { numRuns: runCount(25) },
    );
  });
}
