import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { begin, key, only, put, putPart, read, useStore, varying, type CreateStore } from './samples.js';

/** Incomplete responses: how they come about, and how they are completed. */
export function describeParts(createStore: CreateStore): void {
  const ten = bytes(10);

  describe('incomplete responses (RFC 9111 §3.3)', () => {
    const store = useStore(createStore);

    it('keeps what came before a transfer broke off as a part', async () => {
      const stored = await putPart(store(), '0123', { length: ten });
      assert.equal(stored?.complete, false);
      assert.equal(stored.length, 10);
      assert.deepEqual(stored.held, [{ from: 0, to: 4 }]);
      assert.equal(await read(store(), stored, 1, 4), '123');
    });

    it('keeps a part whose end is not known', async () => {
      const stored = await putPart(store(), '0123', {});
      assert.equal(stored?.complete, false);
      assert.equal(stored.length, null);
      assert.deepEqual(stored.held, [{ from: 0, to: 4 }]);
    });

    it('keeps a part that begins in the middle', async () => {
      const writer = begin(store(), {}, { from: bytes(3), length: ten });
      await writer.append(Buffer.from('345'));
      const stored = await writer.commit(Fields.none);
      assert.equal(stored?.complete, false);
      assert.deepEqual(stored.held, [{ from: 3, to: 6 }]);
      assert.equal(await read(store(), stored, 4, 6), '45');
    });

    it('never takes a transfer that ends before its announced length as complete', async () => {
      const writer = begin(store(), {}, { length: ten });
      await writer.append(Buffer.from('0123'));
      const stored = await writer.commit(Fields.of({ Digest: 'x' }));
      assert.equal(stored?.complete, false);
      assert.equal(stored.trailers.has('digest'), false);
    });

    it('gives up on a transfer that brings more than its announced length', async () => {
      const writer = begin(store(), {}, { length: bytes(4) });
      assert.equal(await writer.append(Buffer.from('0123')), true);
      assert.equal(await writer.append(Buffer.from('4')), false);
      assert.equal(await writer.commit(Fields.none), null);
      assert.deepEqual(await store().lookUp(key('/')), []);
    });

    it('stores nothing of a transfer that is given up for good', async () => {
      const writer = begin(store(), {}, { length: ten });
      await writer.append(Buffer.from('0123'));
      assert.equal(await writer.abandon(false), null);
      assert.deepEqual(await store().lookUp(key('/')), []);
    });

    it('stores nothing of a transfer that broke off before its first byte', async () => {
      assert.equal(await begin(store(), {}, { length: ten }).abandon(true), null);
      assert.equal(await begin(store(), {}, { from: bytes(5), length: ten }).commit(Fields.none), null);
      assert.deepEqual(await store().lookUp(key('/')), []);
    });

    it('takes a response as complete once all its bytes are there, even if the transfer then broke off', async () => {
      const stored = await putPart(store(), '0123456789', { length: ten });
      assert.equal(stored?.complete, true);
    });

    it('never replaces a complete response by a part', async () => {
      await put(store(), 'whole');
      assert.equal(await putPart(store(), '01', { length: ten }), null);
      const writer = begin(store(), {}, { from: bytes(3), length: ten });
      await writer.append(Buffer.from('345'));
      assert.equal(await writer.commit(Fields.none), null);
      assert.equal(await read(store(), await only(store())), 'whole');
    });

    it('keeps a part beside complete responses with other selecting fields', async () => {
      await put(store(), 'whole', { selecting: varying('en') });
      assert.notEqual(await putPart(store(), '01', { length: ten }, { selecting: varying('de') }), null);
      assert.equal((await store().lookUp(key('/'))).length, 2);
    });

    it('replaces a part by a whole response, and by a later part', async () => {
      await putPart(store(), '0123', { length: ten });
      await putPart(store(), 'ab', { length: ten });
      assert.equal(await read(store(), await only(store()), 0, 2), 'ab');
      await put(store(), 'whole');
      assert.equal(await read(store(), await only(store())), 'whole');
    });
  });

  describe('combining parts (RFC 9111 §3.4)', () => {
    const store = useStore(createStore);

    it('completes a part with the rest', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const writer = begin(store(), {}, { from: bytes(4), length: ten, extend });
      await writer.append(Buffer.from('456789'));
      const stored = await writer.commit(Fields.none);
      assert.equal(stored?.complete, true);
      assert.deepEqual(stored.held, [{ from: 0, to: 10 }]);
      assert.equal(await read(store(), await only(store())), '0123456789');
    });

    it('takes metadata from the later answer and a name of its own', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const fields = Fields.of({ ETag: '"1"', 'X-Later': 'yes' });
      const writer = begin(store(), { fields }, { from: bytes(4), length: ten, extend });
      await writer.append(Buffer.from('456789'));
      const stored = await writer.commit(Fields.none);
      assert.equal(stored?.fields.first('x-later'), 'yes');
      assert.notEqual(stored.id, extend.id);
    });

    it('keeps parts that do not touch apart, and joins those that do', async () => {
      let extend = (await putPart(store(), '23', { from: bytes(2), length: ten }))!;
      extend = (await putPart(store(), '67', { from: bytes(6), length: ten, extend }))!;
      assert.deepEqual(extend.held, [
        { from: 2, to: 4 },
        { from: 6, to: 8 },
      ]);
      assert.equal(await read(store(), extend, 2, 4), '23');
      assert.equal(await read(store(), extend, 7, 8), '7');
      extend = (await putPart(store(), '45', { from: bytes(4), length: ten, extend }))!;
      assert.deepEqual(extend.held, [{ from: 2, to: 8 }]);
      assert.equal(await read(store(), extend, 3, 7), '3456');
    });

    it('joins parts that overlap', async () => {
      let extend = (await putPart(store(), '234', { from: bytes(2), length: ten }))!;
      extend = (await putPart(store(), '6789', { from: bytes(6), length: ten, extend }))!;
      extend = (await putPart(store(), '01234567', { from: bytes(0), length: ten, extend }))!;
      assert.equal(extend.complete, true);
      assert.equal(await read(store(), extend), '0123456789');
    });

    it('learns the length of a part from the transfer that brings its end', async () => {
      const extend = (await putPart(store(), '0123', {}))!;
      const writer = begin(store(), {}, { from: bytes(4), length: ten, extend });
      await writer.append(Buffer.from('456'));
      const stored = await writer.abandon(true);
      assert.equal(stored?.length, 10);
      assert.deepEqual(stored.held, [{ from: 0, to: 7 }]);
    });

    it('keeps the length of a part that a transfer of unknown length adds to', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const writer = begin(store(), {}, { from: bytes(4), extend });
      await writer.append(Buffer.from('456'));
      const stored = await writer.commit(Fields.none);
      assert.equal(stored?.length, 10);
      assert.equal(stored.complete, false);
    });

    it('keeps the bytes so far when the transfer of the rest breaks off', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const stored = await putPart(store(), '45', { from: bytes(4), length: ten, extend });
      assert.deepEqual(stored?.held, [{ from: 0, to: 6 }]);
      assert.equal(await read(store(), stored, 2, 6), '2345');
    });

    it('leaves the part as it is when the transfer of the rest is given up', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const writer = begin(store(), {}, { from: bytes(4), length: ten, extend });
      await writer.append(Buffer.from('45'));
      await writer.abandon(false);
      assert.equal((await only(store())).id, extend.id);
      const empty = begin(store(), {}, { from: bytes(4), length: ten, extend });
      await empty.abandon(true);
      assert.equal((await only(store())).id, extend.id);
    });

    it('never combines lengths that contradict each other', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const stored = await putPart(store(), '45', { from: bytes(4), length: bytes(12), extend });
      assert.equal(stored?.length, 12);
      assert.deepEqual(stored.held, [{ from: 4, to: 6 }]);
    });

    it('leaves readers of the part undisturbed', async () => {
      const extend = (await putPart(store(), '0123', { length: ten }))!;
      const body = store().open(extend, bytes(1), bytes(4));
      await putPart(store(), '456789', { from: bytes(4), length: ten, extend });
      assert.equal((await readAll(body, bytes(10))).toString(), '123');
    });

    it('completes a long part whose pieces came out of order', async () => {
      const text = Array.from({ length: 30_000 }, (_, i) => `${i} `).join('');
      const length = bytes(text.length);
      const step = Math.ceil(text.length / 9);
      let extend: Awaited<ReturnType<typeof putPart>> = null;
      for (const piece of [4, 0, 8, 2, 6, 1, 7, 3, 5]) {
        const from = bytes(piece * step);
        const content = text.slice(from, from + step);
        extend = await putPart(store(), content, { from, length, ...(extend && { extend }) });
      }
      assert.equal(extend?.complete, true);
      assert.equal(await read(store(), extend), text);
    });
  });
}
