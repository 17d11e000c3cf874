import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { bytes, epochMs } from '../../../config/units.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import type { ResponseMetadata, StoredResponse } from '../../../proxy/cache/stored-response.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { draft, key, metadata } from '../response-store/samples.js';
import { runCount } from '../../support/run-count.js';
import { DiskExample } from './disk-example.js';

type Step =
  | { readonly do: 'put' | 'break' | 'part' | 'more'; readonly key: number; readonly size: number }
  | { readonly do: Change; readonly key: number }
  | { readonly do: 'close' | 'kill' | 'rebuild' };

type Change = 'invalidate' | 'freshen' | 'remove' | 'soft' | 'hard' | 'invalidate-group' | 'hard-group';

/** What was acknowledged last of a key. */
interface Known {
  readonly content: string;
  /** How many bytes of it are stored. */
  readonly held: number;
  readonly invalidated: boolean;
  readonly purged: boolean;
}

const size = fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 100_000 }));
const writes = ['put', 'put', 'put', 'break', 'part', 'more', 'more', 'more'] as const;
const changes = ['invalidate', 'freshen', 'remove', 'soft', 'hard', 'invalidate-group', 'hard-group'] as const;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: fc.constantFrom(...writes), key: fc.nat({ max: 4 }), size }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom(...changes), key: fc.nat({ max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'kill' as const, 'rebuild' as const) }) },
);
const groupOf = (of: number): string => (of % 2 === 0 ? 'even' : 'odd');

describe('a store on disk through stops and crashes', () => {
  it('has exactly what was acknowledged, in any order of operations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const example = await DiskExample.create();
        const history = new History(example, await example.open());
        try {
          for (const one of steps) {
            await history.apply(one);
            await history.check();
          }
        } finally {
          await example.remove();
        }
      }),
      { numRuns: runCount(12), endOnFailure: true },
    );
  });
});

class History {
  readonly #known = new Map<number, Known>();
  #directory: string;
  #copies = 0;
  #puts = 0;

  constructor(
    private readonly example: DiskExample,
    private store: DiskStore,
  ) {
    this.#directory = example.directory;
  }

  async apply(one: Step): Promise<void> {
    switch (one.do) {
      case 'put':
      case 'break':
        return this.#write(one.key, one.size, one.do === 'put');
      case 'part':
        return this.#begin(one.key, one.size);
      case 'more':
        return this.#extend(one.key, one.size);
      case 'rebuild': {
        await this.store.upkeep.rebuild({ signal: new AbortController().signal, onProgress: () => undefined });
        for (const [of, known] of this.#known) this.#known.set(of, { ...known, invalidated: true });
        return;
      }
      case 'close':
        await this.store.close();
        this.store = await this.example.open({ directory: this.#directory });
        return;
      case 'kill': {
        // what is being written is lost with the process
        const writer = this.store.write(draft(this.store, { key: key('/unfinished') }));
        await writer?.append(Buffer.alloc(500_000));
        const copy = join(this.example.directory, '..', `copy${++this.#copies}`);
        this.example.copyAsKilled(this.#directory, copy);
        await this.store.close();
        this.#directory = copy;
        this.store = await this.example.open({ directory: copy });
        return;
      }
      case 'invalidate':
      case 'freshen':
      case 'remove':
      case 'soft':
      case 'hard':
      case 'invalidate-group':
      case 'hard-group':
        return this.#change(one.do, one.key);
    }
  }

  async check(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      const found = await this.store.peek(key(`/${i}`));
      const known = this.#known.get(i);
      assert.equal(found.length, known === undefined ? 0 : 1);
      if (known === undefined) continue;
      assert.equal(found[0]?.invalidated, known.invalidated);
      assert.equal(found[0].freshness.lifetimeSource === 'purged', known.purged);
      assert.equal(found[0].complete, known.held === known.content.length);
      const body = this.store.open(found[0], bytes(0), bytes(known.held));
      const content = (await readAll(body, bytes(known.held))).toString();
      assert.ok(content === known.content.slice(0, known.held), 'other bytes');
    }
    assert.deepEqual(await this.store.peek(key('/unfinished')), []);
    assert.equal(this.store.usage().responses, this.#known.size);
  }

  async #write(of: number, length: number, whole: boolean): Promise<void> {
    const content = `${++this.#puts} `.repeat(length).slice(0, length);
    const writer = this.store.write(draft(this.store, this.#metadata(of)));
    await writer!.append(Buffer.from(content));
    if (!whole) await writer!.abandon(false);
    else if ((await writer!.commit(Fields.none)) !== null) {
      this.#known.set(of, { content, held: length, invalidated: false, purged: false });
    } else assert.fail('it was not kept');
  }

  /** A transfer that breaks off. */
  async #begin(of: number, length: number): Promise<void> {
    const known = this.#known.get(of);
    const content = `${++this.#puts} `.repeat(length * 2 + 2).slice(0, length * 2 + 2);
    const held = length + 1;
    const writer = this.store.write(draft(this.store, this.#metadata(of), { length: bytes(content.length) }));
    await writer!.append(Buffer.from(content.slice(0, held)));
    const stored = await writer!.abandon(true);
    const isWhole = known !== undefined && known.held === known.content.length;
    assert.equal(stored === null, isWhole);
    if (!isWhole) this.#known.set(of, { content, held, invalidated: false, purged: false });
  }

  /** A few bytes more of it, or the rest. */
  async #extend(of: number, size: number): Promise<void> {
    const known = this.#known.get(of);
    if (known === undefined || known.held === known.content.length) return;
    const [extend] = await this.store.lookUp(key(`/${of}`));
    const to = Math.min(known.content.length, known.held + 1 + (size % 20_000));
    const place = { from: bytes(known.held), length: bytes(known.content.length), extend };
    const writer = this.store.write(draft(this.store, this.#metadata(of), place));
    await writer!.append(Buffer.from(known.content.slice(known.held, to)));
    assert.notEqual(await writer!.commit(Fields.none), null);
    this.#known.set(of, { content: known.content, held: to, invalidated: false, purged: false });
  }

  #metadata(of: number): Partial<ResponseMetadata> {
    return { key: key(`/${of}`), groups: [groupOf(of)] };
  }

  async #change(what: Change, of: number): Promise<void> {
    const one = key(`/${of}`);
    const [stored] = await this.store.lookUp(one);
    const known = this.#known.get(of);
    assert.equal(stored === undefined, known === undefined);
    await this.#act(what, of, stored);
    for (const [other, before] of this.#known) {
      const isConcerned = what.endsWith('-group') ? groupOf(other) === groupOf(of) : other === of;
      if (!isConcerned) continue;
      if (what === 'remove' || what.startsWith('hard')) this.#known.delete(other);
      else if (what.startsWith('invalidate')) this.#known.set(other, { ...before, invalidated: true });
      else if (what === 'soft') this.#known.set(other, { ...before, purged: true });
      else this.#known.set(other, { ...before, invalidated: false, purged: false });
    }
  }

  async #act(what: Change, of: number, stored: StoredResponse | undefined): Promise<unknown> {
    const { store } = this;
    const now = epochMs(2_000_000);
    switch (what) {
      case 'invalidate':
        return store.invalidate(key(`/${of}`));
      case 'invalidate-group':
        return store.invalidateGroup('|http://example.com', groupOf(of));
      case 'soft':
      case 'hard':
        return store.purge({ kind: 'uri', uris: [`http://example.com/${of}`] }, what, now);
      case 'hard-group':
        return store.purge({ kind: 'group', origins: ['http://example.com'], group: groupOf(of) }, 'hard', now);
      case 'remove':
        return stored && store.remove(stored);
      case 'freshen': {
        if (stored === undefined) return undefined;
        const freshened = await store.freshen(stored, metadata(this.#metadata(of)), store.generation());
        assert.notEqual(freshened, null);
        return freshened;
      }
    }
  }
}
