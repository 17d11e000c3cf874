import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { milliseconds } from '../../../config/units.js';
import { WillisError } from '../../../proxy/base/errors.js';
import { answering, failing, interrupted } from './faults.js';
import { NodesFixture, type Fault } from './nodes-fixture.js';

const content = Buffer.concat(
  Array.from({ length: 9375 }, (_, i) => createHash('sha256').update(`random ${i}`).digest()),
);

/** One bit is another one. */
const altered = (chunk: Buffer): Buffer => {
  const copy = Buffer.from(chunk);
  copy[0] = (copy[0] ?? 0) ^ 1;
  return copy;
};

const oneFault: fc.Arbitrary<Fault> = fc.oneof(
  fc
    .tuple(fc.nat(content.length), fc.constantFrom('cut' as const, 'end' as const, altered))
    .map(([after, what]) => interrupted(after, what)),
  fc.constantFrom<Fault>(
    failing('connect-refused'),
    failing('upstream-reset'),
    answering(503, 'down'),
    answering(404, 'not here'),
    (_, answer) => answer(),
  ),
);

/** Faults one after the other, one for each request. */
const faults: fc.Arbitrary<Fault> = fc.array(oneFault, { minLength: 1, maxLength: 6 }).map((list) => {
  let next = 0;
  return (request, answer, options) => (list[next++ % list.length] as Fault)(request, answer, options);
});

describe('Rule 11, whatever happens to three sources', () => {
  it('gives exactly the document, or breaks visibly', async function () {
    this.timeout(60_000);
    let complete = 0;
    const wanted = fc.constantFrom(null, [0, 300_000], [1, 2], [65_536, 131_072], [100_000, 299_999]);
    await fc.assert(
      fc.asyncProperty(fc.tuple(faults, faults, faults), wanted, async (of, range) => {
        const nodes = await NodesFixture.create({ settings: { patience: milliseconds(2000), attempts: 2 } });
        await nodes.held.put({ 'x.bin': content });
        nodes.nodes.forEach((node, i) => (node.fault = of[i] as Fault));
        const [from = 0, to = content.length] = range ?? [];
        const fields: Record<string, string> = range === null ? {} : { Range: `bytes=${from}-${to - 1}` };
        let received = 0;
        try {
          const { status, body, fields: told } = await nodes.forward('x.bin', { fields });
          assert.equal(status, range === null ? 200 : 206);
          assert.equal(told.get('content-length'), String(to - from));
          for (let chunk = await body?.read(); chunk != null; chunk = await body?.read()) {
            const truth = content.subarray(from + received, from + received + chunk.length);
            assert.ok(truth.equals(chunk), `forged bytes at ${received}`);
            received += chunk.length;
          }
          assert.equal(received, to - from, 'a short content that looks whole');
          complete++;
        } catch (error) {
          if (!(error instanceof WillisError) || error.code !== 'content-unreachable') throw error;
        }
        for (const { url } of nodes.nodes) assert.equal(nodes.health.of(url).underWay, 0, 'nothing is left behind');
      }),
      { numRuns: 150 },
    );
    assert.ok(complete > 30, `${complete} of 150 were answered`);
  });
});
