import assert from 'node:assert/strict';
import fc from 'fast-check';
import { answer } from '../support/origin-scripts.js';
import { runCount } from '../support/run-count.js';
import { outcomeOf, startWillis } from '../support/willis.js';

/** What a client asks, how much later than the one before, and what the origin server says to it if it is asked. */
interface Step {
  readonly pause: number;
  readonly kind: string;
  readonly fields: Readonly<Record<string, string>>;
  /** In a 200 and in a 304. */
  readonly control: string;
  readonly vary: string;
  /** Answer with 304 if the request lets it. */
  readonly agree: boolean;
}

/** One version of the document, by its entity-tag, and all that the origin server ever said of it. */
interface Version {
  readonly kind: string;
  readonly vary: string;
  readonly withCredentials: boolean;
  readonly requestNoStore: boolean;
  readonly said: string[];
}

const control = fc
  .subarray(['public', 'private', 'no-store', 'no-cache', 'must-revalidate', 'no-cache="x"', 'private="x"'], {
    maxLength: 2,
  })
  .chain((words) =>
    fc.constantFrom(...['max-age=20', 's-maxage=20', 'max-age=0'].map((age) => [...words, age].join(', '))),
  );

const fields = fc.constantFrom<Readonly<Record<string, string>>[]>(
  ...[{}, {}, {}, { Authorization: 'Basic eDp5' }, { Range: 'bytes=1-3' }, { 'If-None-Match': '"v0", "v1"' }],
  ...['no-store', 'no-cache', 'max-stale', 'max-age=5', 'no-store, no-cache'].map((said) => ({
    'Cache-Control': said,
  })),
);

const step: fc.Arbitrary<Step> = fc.record({
  pause: fc.constantFrom(0, 0, 1, 10, 30),
  kind: fc.constantFrom('one', 'two'),
  fields,
  control,
  vary: fc.constantFrom('', '', 'X-Kind', '*'),
  agree: fc.boolean(),
});

const withheld = /(?:^|, )(?:private|no-store)(?:,|$)/;

describe('what is shared', () => {
  it('no answer reaches another client that the origin server ever withheld from it (RFC 9111 §3, §3.5, §4.1, §5.2.2)', async function () {
    this.timeout(60_000);
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), runs), { numRuns: runCount(60) });
  });
});

async function runs(steps: readonly Step[]): Promise<void> {
  const willis = await startWillis();
  const versions: Version[] = [];
  try {
    for (const one of steps) {
      willis.clock.advance(one.pause * 1000);
      willis.serve((request, response, index) => {
        const tags = (request.headers['if-none-match'] ?? '').match(/\d+/g)?.map(Number) ?? [];
        const confirmed = tags.find((tag) => versions[tag]?.kind === one.kind);
        const said = { 'Cache-Control': one.control, ...(one.vary !== '' && { Vary: one.vary }) };
        if (one.agree && confirmed !== undefined) {
          versions[confirmed]?.said.push(one.control, one.vary);
          return answer(304, { ...said, ETag: `"v${confirmed}"` })(request, response, index);
        }
        const tag = versions.push({
          kind: one.kind,
          vary: one.vary,
          withCredentials: 'Authorization' in one.fields,
          requestNoStore: /no-store/.test(one.fields['Cache-Control'] ?? ''),
          said: [one.control, one.vary],
        });
        return answer(200, { ...said, ETag: `"v${tag - 1}"` }, `version ${tag - 1}`)(request, response, index);
      });
      const before = willis.origin.count();
      const response = await willis.get('/a', { 'X-Kind': one.kind, ...one.fields });
      if (outcomeOf(response) !== 'hit') continue;
      assert.equal(willis.origin.count(), before);
      assertShareable(versions[Number(/\d+/.exec(response.get('etag') ?? '')?.[0])] ?? assert.fail(), one);
    }
  } finally {
    await willis.stop();
  }
}

/** Whether a version may answer a request that the origin server has not seen. */
function assertShareable(version: Version, asked: Step): void {
  const [first = ''] = version.said;
  assert.equal(
    version.said.some((said) => withheld.test(said) || said === '*'),
    false,
    'withheld',
  );
  assert.equal(version.requestNoStore, false, 'no-store');
  if (version.withCredentials) assert.match(first, /public|must-revalidate|s-maxage/);
  if (version.said.length === 2) assert.doesNotMatch(first, /no-cache(?:,|$)/);
  if (version.vary === 'X-Kind') assert.equal(version.kind, asked.kind);
}
