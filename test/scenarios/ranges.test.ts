import assert from 'node:assert/strict';
import { answer, type ScriptedFields } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const digits = '0123456789';

interface Part {
  readonly range: string;
  readonly type: string;
  readonly content: string;
}

/** The parts of a multipart/byteranges answer (RFC 9110 §14.6), read as strictly as they may be written. */
function partsOf(response: RawResponse): Part[] {
  const type = response.get('content-type') ?? '';
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(type)?.[1] ?? assert.fail(type);
  const pieces = `\r\n${response.body.toString('latin1')}`.split(`\r\n--${boundary}`);
  assert.equal(pieces.shift(), '');
  assert.equal(pieces.pop(), '--\r\n');
  return pieces.map((piece) => {
    const match = /^\r\nContent-Type: ([^\r]*)\r\nContent-Range: ([^\r]*)\r\n\r\n(.*)$/s.exec(piece);
    return { type: match?.[1] ?? '', range: match?.[2] ?? '', content: match?.[3] ?? '' };
  });
}

describe('ranges of a complete stored response', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const store = async (fields: ScriptedFields = {}, content = digits): Promise<void> => {
    const control = { 'Cache-Control': 'max-age=600', ETag: '"1"', 'Content-Type': 'text/plain' };
    willis.serve(answer(200, { ...control, ...fields }, content));
    await willis.get('/a');
  };

  const single: [range: string, contentRange: string, body: string][] = [
    ['bytes=0-0', 'bytes 0-0/10', '0'],
    ['bytes=2-4', 'bytes 2-4/10', '234'],
    ['bytes=7-', 'bytes 7-9/10', '789'],
    ['bytes=-3', 'bytes 7-9/10', '789'],
    ['bytes=8-1000', 'bytes 8-9/10', '89'],
    ['bytes=-1000', 'bytes 0-9/10', digits],
    ['bytes=5-99999999999999999999999', 'bytes 5-9/10', '56789'],
    ['Bytes=2-4', 'bytes 2-4/10', '234'],
  ];
  for (const [range, contentRange, body] of single) {
    it(`${range} is answered by 206 ${contentRange} (RFC 9110 §14.1.2, §15.3.7)`, async () => {
      await store();
      const response = await willis.get('/a', { Range: range });
      assert.equal(response.status, 206);
      assert.equal(response.get('content-range'), contentRange);
      assert.equal(response.contentLength, body.length);
      assert.equal(response.body.toString(), body);
      assert.equal(response.get('etag'), '"1"');
      assert.equal(outcomeOf(response), 'hit');
      assert.equal(willis.origin.count(), 1);
    });
  }

  it('several ranges are answered by one multipart message, in the order asked for (RFC 9110 §14.6, §15.3.7.2)', async () => {
    await store({}, digits.repeat(100));
    const response = await willis.get('/a', { Range: 'bytes=808-809,0-1,-2' });
    assert.equal(response.status, 206);
    assert.equal(response.get('content-range'), undefined);
    assert.deepEqual(partsOf(response), [
      { type: 'text/plain', range: 'bytes 808-809/1000', content: '89' },
      { type: 'text/plain', range: 'bytes 0-1/1000', content: '01' },
      { type: 'text/plain', range: 'bytes 998-999/1000', content: '89' },
    ]);
    assert.equal(outcomeOf(response), 'hit');
  });

  it('of several ranges those that cannot be satisfied are left out (RFC 9110 §15.3.7.2)', async () => {
    await store();
    const response = await willis.get('/a', { Range: 'bytes=100-,1-2' });
    assert.equal(response.status, 206);
    assert.equal(response.get('content-range'), 'bytes 1-2/10');
    assert.equal(response.body.toString(), '12');
  });

  for (const range of ['bytes=10-', 'bytes=99999999999999999999-', 'bytes=-0', 'bytes=10-20,30-']) {
    it(`${range} is answered by 416 with the current length (RFC 9110 §15.5.17)`, async () => {
      await store();
      const response = await willis.get('/a', { Range: range });
      assert.equal(response.status, 416);
      assert.equal(response.get('content-range'), 'bytes */10');
      assert.equal(willis.origin.count(), 1);
    });
  }

  for (const range of ['bytes=3-1', 'bytes=a-b', 'bytes', 'lines=1-2', 'bytes=', 'bytes=1-2,x']) {
    it(`the invalid or unknown Range "${range}" is ignored (RFC 9110 §14.2)`, async () => {
      await store();
      const response = await willis.get('/a', { Range: range });
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), digits);
    });
  }

  it('very many small ranges are not answered by more than the whole (RFC 9110 §17.15)', async () => {
    await store();
    const response = await willis.get('/a', { Range: `bytes=${Array.from({ length: 500 }, () => '0-9').join(',')}` });
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), digits);
  });

  it('Range of a HEAD request is ignored (RFC 9110 §14.2)', async () => {
    await store();
    const response = await willis.ask('HEAD', '/a', { Range: 'bytes=0-0' });
    assert.equal(response.status, 200);
    assert.equal(response.contentLength, 10);
  });

  it('preconditions go before ranges (RFC 9110 §13.2.2)', async () => {
    await store();
    assert.equal((await willis.get('/a', { Range: 'bytes=0-0', 'If-None-Match': '"1"' })).status, 304);
    assert.equal((await willis.get('/a', { Range: 'bytes=0-0', 'If-None-Match': '"2"' })).status, 206);
  });

  const strong = (): string => willis.clock.httpDate(-3600);
  const ifRange: [what: string, value: () => string, status: number][] = [
    ['the strong entity-tag', () => '"1"', 206],
    ['another entity-tag', () => '"2"', 200],
    ['the weak form of the entity-tag', () => 'W/"1"', 200],
    ['a list of entity-tags', () => '"1", "2"', 200],
    ['the Last-Modified long before Date', strong, 206],
    ['another date', () => willis.clock.httpDate(-3599), 200],
  ];
  for (const [what, value, status] of ifRange) {
    it(`If-Range with ${what} is answered by ${status} (RFC 9110 §13.1.5)`, async () => {
      await store({ 'Last-Modified': strong() });
      const response = await willis.get('/a', { Range: 'bytes=1-2', 'If-Range': value() });
      assert.equal(response.status, status);
      assert.equal(response.body.toString(), status === 206 ? '12' : digits);
      assert.equal(willis.origin.count(), 1);
    });
  }

  it('If-Range with a date that is a weak validator does not hold (RFC 9110 §8.8.2.2, §13.1.5)', async () => {
    await store({ 'Last-Modified': willis.clock.httpDate(), ETag: 'W/"1"' });
    for (const value of [willis.clock.httpDate(), 'W/"1"', '"1"']) {
      assert.equal((await willis.get('/a', { Range: 'bytes=1-2', 'If-Range': value })).status, 200);
    }
  });

  it('a range of a stale response is validated as a whole, and answered from it (RFC 9111 §4.3.1)', async () => {
    await store();
    willis.clock.advance(1_000_000);
    willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=600' }));
    const response = await willis.get('/a', { Range: 'bytes=3-4' });
    assert.equal(response.status, 206);
    assert.equal(response.body.toString(), '34');
    assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
    assert.equal(willis.origin.last.headers.range, undefined);
  });

  it('a 200 to a range request is stored whole, and the client gets its range (RFC 9110 §14.2)', async () => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60', ETag: '"1"' }, digits));
    const first = await willis.get('/a', { Range: 'bytes=2-3' });
    assert.equal(first.status, 206);
    assert.equal(first.body.toString(), '23');
    assert.equal(cacheStatusOf(first)['stored'], true);
    const whole = await willis.get('/a');
    assert.equal(outcomeOf(whole), 'hit');
    assert.equal(whole.body.toString(), digits);
  });
});
