import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { epochMs } from '../../../config/units.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { Fields } from '../../../proxy/http/fields.js';
import { draft, key, metadata } from '../response-store/samples.js';
import { runCount } from '../../support/run-count.js';
import { DiskExample, given } from './disk-example.js';

type Step =
  | { readonly do: 'put' | 'break'; readonly key: number; readonly size: number }
  | { readonly do: 'invalidate' | 'freshen' | 'remove' | 'soft' | 'hard'; readonly key: number }
  | { readonly do: 'close' | 'kill' };

/** What was acknowledged last of a key. */
interface Known {
  readonly content: string;
  readonly invalidated: boolean;
  readonly purged: boolean;
}

const size = fc.oneof(fc.nat({ max: 2000 }), fc.nat({ max: 100_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'break' as const), key: fc.nat({ max: 4 }), size }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'invalidate' as const,
        'freshen' as const,
        'remove' as const,
        'soft' as const,
        'hard' as const,
      ),
      key: fc.nat({ max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'kill' as const) }) },
);

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
      { numRuns: runCount(12) },
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
      case 'close':
        await this.store.close();
        this.store = await this.example.open({ directory: this.#directory });
        return;
      case 'kill': {
        // what is being written is lost with the process
        const writer = this.store.write(draft(this.store, { key: key('/unfinished') }));
        await writer?.append(Buffer.alloc(500_000));
        const copy = join(this.example.directory, '..', `copy${++this.#copies}`);
        cpSync(this.#directory, copy, { recursive: true });
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
      assert.ok((await given(this.store, found[0])) === known.content, 'other bytes');
    }
    assert.deepEqual(await this.store.peek(key('/unfinished')), []);
    assert.equal(this.store.usage().responses, this.#known.size);
  }

  async #write(of: number, length: number, whole: boolean): Promise<void> {
    const content = `${++this.#puts} `.repeat(length).slice(0, length);
    const writer = this.store.write(draft(this.store, { key: key(`/${of}`) }));
    await writer!.append(Buffer.from(content));
    if (!whole) await writer!.abandon(false);
    else if ((await writer!.commit(Fields.none)) !== null) {
      this.#known.set(of, { content, invalidated: false, purged: false });
    } else assert.fail('it was not kept');
  }

  async #change(what: 'invalidate' | 'freshen' | 'remove' | 'soft' | 'hard', of: number): Promise<void> {
    const one = key(`/${of}`);
    const [stored] = await this.store.lookUp(one);
    const known = this.#known.get(of);
    assert.equal(stored === undefined, known === undefined);
    const purge = (mode: 'soft' | 'hard'): Promise<number> =>
      this.store.purge({ kind: 'uri', uris: [`http://example.com/${of}`] }, mode, epochMs(2_000_000));
    if (what === 'invalidate') await this.store.invalidate(one);
    else if (what === 'soft' || what === 'hard') await purge(what);
    if (stored === undefined || known === undefined) return;
    if (what === 'freshen')
      assert.notEqual(await this.store.freshen(stored, metadata({ key: one }), this.store.generation()), null);
    if (what === 'remove') await this.store.remove(stored);
    if (what === 'remove' || what === 'hard') this.#known.delete(of);
    else if (what === 'invalidate') this.#known.set(of, { ...known, invalidated: true });
    else if (what === 'soft') this.#known.set(of, { ...known, purged: true });
    else this.#known.set(of, { ...known, invalidated: false, purged: false });
  }
}
