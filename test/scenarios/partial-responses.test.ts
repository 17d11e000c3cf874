import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { answer, answerBrokenOff, type ScriptedFields } from '../support/origin-scripts.js';
import type { OriginHandler, RecordedRequest } from '../support/scripted-origin.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const digits = '0123456789';
const control = { 'Cache-Control': 'max-age=600' };

/** A range server after the book: one range, If-Range by strong entity-tag. */
const rangeServer =
  (content: string, etag: string, fields: ScriptedFields = {}): OriginHandler =>
  (request, response, index) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const all = { ...control, ETag: etag, ...fields };
    if (range === null || (condition !== undefined && condition !== etag))
      return answer(200, all, content)(request, response, index);
    const from = Number(range[1]);
    const to = range[2] === '' ? content.length : Math.min(content.length, Number(range[2]) + 1);
    if (from >= content.length)
      return answer(416, { 'Content-Range': `bytes */${content.length}` })(request, response, index);
    const contentRange = `bytes ${from}-${to - 1}/${content.length}`;
    return answer(206, { ...all, 'Content-Range': contentRange }, content.slice(from, to))(request, response, index);
  };

const asked = ({ headers }: RecordedRequest): unknown[] => [headers.range, headers['if-range']];

describe('partial responses', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(rangeServer(digits, '"1"'));
  });
  afterEach(() => willis.stop());

  const range = async (value: string, fields: Record<string, string> = {}): Promise<string> => {
    const response = await willis.get('/a', { Range: `bytes=${value}`, ...fields });
    assert.equal(response.status, 206);
    const [from, to] =
      /^bytes (\d+)-(\d+)\/10$/
        .exec(response.get('content-range') ?? '')
        ?.slice(1)
        .map(Number) ?? [];
    assert.equal(response.body.toString(), digits.slice(from, (to ?? 0) + 1));
    return outcomeOf(response);
  };

  it('a 206 is stored, and smaller ranges are served from it (RFC 9111 §3.3)', async () => {
    assert.equal(await range('2-7'), 'uri-miss');
    assert.equal(await range('3-5'), 'hit');
    assert.equal(await range('2-7'), 'hit');
    assert.equal(willis.origin.count(), 1);
  });

  it('several ranges that are all held are served as a multipart message (RFC 9111 §3.3)', async () => {
    willis.serve(rangeServer(digits.repeat(100), '"1"'));
    await willis.get('/a', { Range: 'bytes=200-799' });
    const response = await willis.get('/a', { Range: 'bytes=200-201,798-799' });
    assert.equal(response.status, 206);
    assert.match(response.get('content-type') ?? '', /^multipart\/byteranges/);
    assert.equal(willis.origin.count(), 1);
  });

  it('a range beyond the end is known to be so from a part (RFC 9110 §15.5.17)', async () => {
    await range('2-7');
    const response = await willis.get('/a', { Range: 'bytes=10-' });
    assert.equal(response.status, 416);
    assert.equal(willis.origin.count(), 1);
  });

  it('parts with the same strong validator are combined (RFC 9111 §3.4)', async () => {
    await range('0-3');
    await range('4-6');
    assert.equal(await range('1-6'), 'hit');
    await range('7-9');
    const whole = await willis.get('/a');
    assert.equal(whole.status, 200);
    assert.equal(outcomeOf(whole), 'hit');
    assert.equal(whole.body.toString(), digits);
    assert.equal(whole.contentLength, 10);
    assert.equal(whole.get('content-range'), undefined);
    assert.equal(willis.origin.count(), 3);
  });

  it('of a range that is partly held only the rest is fetched, with If-Range (RFC 9111 §3.4, RFC 9110 §13.1.5)', async () => {
    await range('2-5');
    const response = await willis.get('/a', { Range: 'bytes=4-8' });
    assert.deepEqual(asked(willis.origin.last), ['bytes=6-8', '"1"']);
    assert.equal(response.status, 206);
    assert.equal(response.get('content-range'), 'bytes 4-8/10');
    assert.equal(response.body.toString(), '45678');
    const said = cacheStatusOf(response);
    assert.deepEqual([said['fwd'], said['fwd-status'], said['stored']], ['partial', '206', true]);
    assert.equal(await range('2-8'), 'hit');
  });

  it('a GET for the whole fetches what comes after the held part, with If-Range (RFC 9111 §3.4)', async () => {
    await range('0-5');
    const response = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=6-', '"1"']);
    assert.equal(response.status, 200);
    assert.equal(response.contentLength, 10);
    assert.equal(response.body.toString(), digits);
    assert.equal(outcomeOf(response), 'partial');
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
    assert.equal(willis.origin.count(), 2);
  });

  it('a GET for the whole fetches what comes before and after the held part in one range (RFC 9111 §3.4)', async () => {
    await range('4-5');
    const response = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=0-', '"1"']);
    assert.equal(response.body.toString(), digits);
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('a GET for the whole fetches only the gap between held parts (RFC 9111 §3.4)', async () => {
    await range('0-2');
    await range('7-9');
    const response = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=3-6', '"1"']);
    assert.equal(response.body.toString(), digits);
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('where the validator has changed, the new whole replaces the part and answers (RFC 9111 §3.4)', async () => {
    await range('0-5');
    willis.serve(rangeServer('abcdefghijkl', '"2"'));
    const whole = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=6-', '"1"']);
    assert.equal(whole.status, 200);
    assert.equal(whole.body.toString(), 'abcdefghijkl');
    assert.equal(whole.get('etag'), '"2"');
    const again = await willis.get('/a', { Range: 'bytes=1-2' });
    assert.equal(outcomeOf(again), 'hit');
    assert.equal(again.body.toString(), 'bc');
  });

  it('where the validator has changed, a range is cut from the new whole (RFC 9110 §13.1.5)', async () => {
    await range('0-5');
    willis.serve(rangeServer('abcdefghijkl', '"2"'));
    const response = await willis.get('/a', { Range: 'bytes=4-7' });
    assert.equal(response.status, 206);
    assert.equal(response.get('content-range'), 'bytes 4-7/12');
    assert.equal(response.body.toString(), 'efgh');
  });

  it('where the new whole may not be stored, the part is forgotten (RFC 9111 §4.3.3)', async () => {
    await range('0-5');
    willis.serve(answer(200, { 'Cache-Control': 'private', ETag: '"2"' }, 'private'));
    assert.equal((await willis.get('/a')).body.toString(), 'private');
    willis.serve(rangeServer(digits, '"3"'));
    assert.equal(await range('0-1'), 'uri-miss');
  });

  it('where the resource has become shorter, the part is forgotten and the whole fetched (RFC 9110 §15.5.17)', async () => {
    await range('0-5');
    willis.serve((request, response, index) =>
      request.headers.range === undefined
        ? answer(200, control, 'abc')(request, response, index)
        : answer(416, { 'Content-Range': 'bytes */3' })(request, response, index),
    );
    assert.equal((await willis.get('/a')).body.toString(), 'abc');
  });

  it('parts of different representations are never combined (RFC 9111 §3.4)', async () => {
    await range('0-4');
    willis.serve((request, response, index) =>
      answer(206, { ...control, ETag: '"2"', 'Content-Range': 'bytes 5-9/10' }, 'fghij')(request, response, index),
    );
    const second = await willis.get('/a', { Range: 'bytes=5-9' });
    assert.equal(second.body.toString(), 'fghij');
    willis.serve(rangeServer('abcdefghij', '"2"'));
    assert.equal((await willis.get('/a')).body.toString(), 'abcdefghij');
  });

  it('a part without strong validator is never completed, but fetched anew (RFC 9111 §3.4)', async () => {
    willis.serve(rangeServer(digits, 'W/"1"'));
    await range('0-5');
    const whole = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), [undefined, undefined]);
    assert.equal(whole.body.toString(), digits);
  });

  it('a 206 that nobody asked for is not stored, nor passed off as the whole (RFC 9110 §15.3.7)', async () => {
    willis.serve(answer(206, { ...control, ETag: '"1"', 'Content-Range': 'bytes 0-4/10' }, '01234'));
    const first = await willis.get('/a');
    assert.notEqual(first.status, 200);
    await willis.get('/a');
    assert.equal(willis.origin.count(), 2);
  });

  it('a multipart 206 is passed on and not stored (RFC 9111 §3.3)', async () => {
    const body =
      '--b\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--b\r\nContent-Range: bytes 9-9/10\r\n\r\n9\r\n--b--\r\n';
    willis.serve(answer(206, { ...control, ETag: '"1"', 'Content-Type': 'multipart/byteranges; boundary=b' }, body));
    for (const count of [1, 2]) {
      const response = await willis.get('/a', { Range: 'bytes=0-0,9-9' });
      assert.equal(response.body.toString(), body);
      assert.equal(willis.origin.count(), count);
    }
  });

  it('what came of a broken transfer is a part, completed for the next client (RFC 9111 §3.3)', async () => {
    willis.serve(answerBrokenOff(200, { ...control, ETag: '"1"', 'Content-Length': '10' }, digits.slice(0, 4)));
    await assert.rejects((await willis.begin('GET', '/a')).receive());
    willis.serve(rangeServer(digits, '"1"'));
    const response = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=4-', '"1"']);
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), digits);
  });

  it('what came of broken chunks is completed, too, once the length is known (RFC 9111 §3.3)', async () => {
    willis.serve(answerBrokenOff(200, { ...control, ETag: '"1"' }, digits.slice(0, 4)));
    await assert.rejects((await willis.begin('GET', '/a')).receive());
    willis.serve(rangeServer(digits, '"1"'));
    const response = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=4-', '"1"']);
    assert.equal(response.body.toString(), digits);
  });

  it('a rest that does not tell the length of the whole does not complete it (RFC 9110 §14.4)', async () => {
    willis.serve(answerBrokenOff(200, { ...control, ETag: '"1"' }, digits.slice(0, 4)));
    await assert.rejects((await willis.begin('GET', '/a')).receive());
    willis.serve((request, response, index) =>
      request.headers.range === undefined
        ? answer(200, { ...control, ETag: '"1"' }, digits)(request, response, index)
        : answer(206, { ...control, ETag: '"1"', 'Content-Range': 'bytes 4-6/*' }, '456')(request, response, index),
    );
    assert.equal((await willis.get('/a')).body.toString(), digits);
  });

  it('a completion that breaks off breaks for the client (RFC 9112 §8)', async () => {
    await range('0-3');
    const fields = { ...control, ETag: '"1"', 'Content-Range': 'bytes 4-9/10', 'Content-Length': '6' };
    willis.serve(answerBrokenOff(206, fields, '45'));
    await assert.rejects((await willis.begin('GET', '/a')).receive());
    willis.serve(rangeServer(digits, '"1"'));
    assert.equal((await willis.get('/a')).body.toString(), digits);
    assert.deepEqual(asked(willis.origin.last), ['bytes=6-', '"1"']);
  });

  it('a rest that may not be stored completes this answer and no other (RFC 9111 §3.4)', async () => {
    await range('2-5');
    willis.serve((request, response, index) =>
      answer(206, { 'Cache-Control': 'no-store', ETag: '"1"', 'Content-Range': 'bytes 5-9/10' }, '56789')(
        request,
        response,
        index,
      ),
    );
    const response = await willis.get('/a', { Range: 'bytes=4-8' });
    assert.equal(response.body.toString(), '45678');
    assert.equal(cacheStatusOf(response)['stored'], undefined);
    assert.equal(await range('3-5'), 'hit');
  });

  it('a stale part is validated by If-Range as it is completed (RFC 9111 §4.3.1)', async () => {
    await range('0-5');
    willis.clock.advance(1_000_000);
    const response = await willis.get('/a');
    assert.deepEqual(asked(willis.origin.last), ['bytes=6-', '"1"']);
    assert.equal(response.body.toString(), digits);
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('a held range of a stale part is validated with its entity-tag (RFC 9111 §4.3.1)', async () => {
    await range('0-5');
    willis.clock.advance(1_000_000);
    willis.serve(answer(304, { ...control, ETag: '"1"' }));
    const response = await willis.get('/a', { Range: 'bytes=1-2' });
    assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
    assert.equal(response.status, 206);
    assert.equal(response.body.toString(), '12');
  });

  it('HEAD is answered from a part (RFC 9111 §3.3)', async () => {
    await range('0-5');
    const head = await willis.ask('HEAD', '/a');
    assert.equal(head.status, 200);
    assert.equal(head.contentLength, 10);
    assert.equal(willis.origin.count(), 1);
  });

  it("a client's If-None-Match that matches a part is answered by 304 without fetching the rest (RFC 9111 §4.3.2)", async () => {
    await range('0-5');
    const response = await willis.get('/a', { 'If-None-Match': '"1"' });
    assert.equal(response.status, 304);
    assert.equal(willis.origin.count(), 1);
  });

  it('a part keeps the variant it belongs to when it is completed (RFC 9111 §3.4, §4.1)', async () => {
    willis.serve(rangeServer(digits, '"1"', { Vary: 'X-Kind' }));
    await willis.get('/a', { Range: 'bytes=0-5', 'X-Kind': 'one' });
    // a 206 to If-Range may leave out what the client has already
    willis.serve(rangeServer(digits, '"1"'));
    assert.equal((await willis.get('/a', { 'X-Kind': 'one' })).body.toString(), digits);
    const other = await willis.get('/a', { 'X-Kind': 'two' });
    assert.equal(outcomeOf(other), 'vary-miss');
  });

  it('a 304 about several variants is not answered by one that lacks what is wanted (RFC 9111 §4.3.4)', async () => {
    const fields = { ...control, ETag: '"1"', Vary: 'X-Kind' };
    const held = gate();
    const notModified = answer(304, fields);
    const all = rangeServer(digits, '"1"', { Vary: 'X-Kind' });
    willis.serve(all);
    await willis.get('/a', { Range: 'bytes=0-5', 'X-Kind': 'part' });
    await willis.get('/a', { 'X-Kind': 'whole' });
    willis.serve(async (request, response, index) => {
      if (index === 2) await held.promise;
      return (index === 2 ? notModified : all)(request, response, index);
    });
    const waiting = willis.get('/a', { 'X-Kind': 'other' });
    await willis.origin.received(3);
    // meanwhile the whole is replaced, so that the one which was offered is no longer stored
    await willis.get('/a', { 'X-Kind': 'whole', 'Cache-Control': 'no-cache' });
    held.open();
    const response = await waiting;
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), digits);
  });
});
