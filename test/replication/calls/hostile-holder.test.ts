import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { bytes, milliseconds } from '../../../config/units.js';
import { headField } from '../../../wlis/calls/head-field.js';
import { HttpRemoteHolder, type HttpRemoteHolderOptions } from '../../../replication/calls/http-remote-holder.js';
import { recordTextOf } from '../../../replication/document-record.js';
import { bundleEnd, bundlePart } from '../../../replication/pull/bundle-format.js';
import type { ListPosition } from '../../../replication/remote-holder.js';
import { canonicalJson, type JsonObject } from '../../../wlis/trust/canonical-json.js';
import { recordKey } from '../../../wlis/trust/record.js';
import { tailText, type ListTail } from '../../../wlis/trust/record-list.js';
import { WHOLE } from '../../../wlis/trust/trie-part.js';
import { subtreeAt, subtreeText } from '../../../wlis/trust/trie-subtree.js';
import { rawOrigin, type RawOrigin, type RawScript } from '../../support/raw-origin.js';
import { keyNamed } from '../../wlis/trust/keys-example.js';
import { HeldFixture, sha256Of } from '../held-fixture.js';
import { all, callers, closeCallers, failing, unhurried } from './call-fixture.js';

const answer = (content: string | Buffer, fields: Record<string, string> = {}, status = 200): Buffer => {
  const lines = Object.entries({ 'Content-Length': String(content.length), ...fields });
  const head = [`HTTP/1.1 ${status} Whatever`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), Buffer.from(content)]);
};

describe('what a hostile node answers', () => {
  let held: HeldFixture;
  let origin: RawOrigin | null = null;
  /** All that were started. */
  const origins: RawOrigin[] = [];

  beforeEach(async () => {
    held = await HeldFixture.create();
    await held.put({ 'a.txt': 'one', 'b.txt': 'two', 'c.txt': 'three' });
  });

  afterEach(async () => {
    await closeCallers();
    await origin?.close();
    await Promise.all(origins.splice(0).map((one) => one.close()));
    origin = null;
  });

  const asking = async (script: RawScript, over: Partial<HttpRemoteHolderOptions> = {}): Promise<HttpRemoteHolder> => {
    origin = await rawOrigin(script);
    origins.push(origin);
    return (await callers()).holder(`http://127.0.0.1:${origin.port}`, held, over);
  };

  const answered = (content: string | Buffer, fields: Record<string, string> = {}, status = 200) =>
    asking((socket) => void socket.write(answer(content, fields, status)));

  const headOf = (): Record<string, string> => ({
    'WLIS-Head': headField({ jws: held.edition!.head.jws, age: milliseconds(0) }),
  });

  const position = (): ListPosition => {
    const { epoch, seq, root } = held.edition!.head.head;
    return { epoch, seq, root };
  };

  const lines = (): string[] =>
    [...held.edition!.list.changes()].map((change) => recordTextOf(change, held.namespace, held.epoch));

  const listOf = (records: readonly string[], tail: Partial<ListTail> = {}): string => {
    const { seq, root } = held.edition!.head.head;
    return [...records, tailText({ count: records.length, seq, root, ...tail }), ''].join('\n');
  };

  /** A record with members that it should not have. */
  const altered = (line: string, change: JsonObject): string =>
    canonicalJson({ ...(JSON.parse(line) as JsonObject), ...change });

  const refused = async (
    content: string | Buffer,
    fault: RegExp,
    reason = 'malformed',
    since: ListPosition | null = null,
  ) => {
    const holder = await answered(content, headOf());
    await assert.rejects(holder.changes(since, unhurried), failing('not-believed', reason, fault));
    await origin?.close();
  };

  it('is heard if it is in order: the control of all that follows', async () => {
    const holder = await answered(listOf(lines()), headOf());
    const { kind, head } = await holder.changes(null, unhurried);
    assert.deepEqual([kind, head], ['changes', held.edition!.head]);
  });

  describe('as a head', () => {
    const headIs = async (field: Record<string, string>, fault: RegExp, reason: string) => {
      const holder = await answered('', field);
      const asked = holder.head(null, milliseconds(0), unhurried);
      await assert.rejects(asked, failing('not-believed', reason, fault));
    };

    it('is refused if it is missing, or no string with an age', async () => {
      await headIs({}, /no WLIS-Head/, 'malformed');
      for (const value of ['x', '"x"', '"x";age=-1', '"x";age=1.5', '"x";age=?1', '("x");age=1', '"x', '1;age=1']) {
        await headIs({ 'WLIS-Head': value }, /WLIS-Head is not a string with an age/, 'malformed');
      }
    });

    it('is refused if another key signed it, or it is of another namespace', async () => {
      const foreign = await HeldFixture.create({ key: await keyNamed('liar') });
      const field = { 'WLIS-Head': headField({ jws: foreign.edition!.head.jws, age: milliseconds(0) }) };
      await headIs(field, /of a key that may not sign this/, 'wrong-signature');
      const other = await HeldFixture.create({ namespace: 'http://other.example/' });
      const moved = { 'WLIS-Head': headField({ jws: other.edition!.head.jws, age: milliseconds(0) }) };
      await headIs(moved, /of another namespace/, 'wrong-subject');
    });
  });

  describe('as a list of changes', () => {
    it('is refused with records of another namespace, or with paths that lead out of it', async () => {
      const [first = '', ...rest] = lines();
      const elsewhere = altered(first, { namespace: 'http://evil.example/' });
      await refused(
        listOf([elsewhere, ...rest]),
        /"a\.txt", change 1, is of the namespace "http:\/\/evil/,
        'wrong-subject',
      );
      for (const path of ['../x', 'a/../../x', '%2e%2e/x', 'a%2fb', '.well-known/x', 'a\\b', 'a#b', 'a b', '\u0000']) {
        await refused(listOf([altered(first, { path }), ...rest]), /record: /);
      }
    });

    it('is refused with numbers that run backwards, stand still, or go beyond the head', async () => {
      const [a = '', b = '', c = ''] = lines();
      await refused(listOf([b, a, c]), /"a\.txt", change 1, comes behind change 2/);
      await refused(listOf([a, altered(b, { seq: 1 }), c]), /"b\.txt", change 1, comes behind change 1/);
      await refused(listOf([a, b, altered(c, { seq: 4 })]), /"c\.txt", change 4, is ahead of the head at 3/);
      await refused(listOf([a, b, altered(c, { path: 'a.txt' })]), /"a\.txt", change 3, is there twice/);
      const since = { ...position(), seq: 1 };
      await refused(listOf(lines()), /"a\.txt", change 1, comes behind change 1/, 'malformed', since);
    });

    it('is refused with another epoch in mid-stream', async () => {
      const [a = '', b = '', c = ''] = lines();
      const epoch = '1700000000001-0123456789abcdef';
      await refused(listOf([a, altered(b, { epoch }), c]), /change 2, is of the epoch 1700000000001-/, 'out-of-date');
    });

    it('is refused under a head that is older than what was asked from, or of another epoch', async () => {
      const own = position();
      await refused(listOf([]), /since 9 up to an older head at 3/, 'out-of-date', { ...own, seq: 9 });
      const since = { ...own, epoch: '1800000000000-0123456789abcdef' };
      await refused(listOf([]), /of the epoch 17.* for a list of 18/, 'out-of-date', since);
    });

    it('is refused with a tail that does not lead to the head, or with sets that cannot be', async () => {
      await refused(listOf(lines(), { seq: 2 }), /the tail is at 2, the head at 3/);
      await refused(listOf(lines(), { root: sha256Of('x') }), /another root/);
      await refused(listOf(lines(), { count: 2 }), /3 lines where the tail says 2/);
      await refused(listOf(lines(), { sets: [[2, 1]] }), /set from 2 to 1/);
      await refused(listOf(lines(), { sets: [[2, 4]] }), /set from 2 to 4/);
      const since = { ...position(), seq: 1 };
      await refused(
        listOf(lines().slice(1), { sets: [[1, 2]] }),
        /a set from 1, which is not after 1/,
        'malformed',
        since,
      );
    });

    it('is refused cut short at any line, and broken off anywhere', async () => {
      const text = listOf(lines());
      await refused(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1), /cut short behind line 3/);
      await refused(text.slice(0, -1), /cut short/);
      await refused('', /cut short behind line 0/);
      for (const length of [0, 10, text.length - 1]) {
        const holder = await asking((socket) => {
          socket.end(answer(text, headOf()).subarray(0, length - text.length));
        });
        await assert.rejects(holder.changes(null, unhurried), failing('unreachable', 'upstream-incomplete'));
        await origin?.close();
      }
    });

    it('is refused if it is no UTF-8, or not in canonical form', async () => {
      await refused(Buffer.from([0xff, 0x0a]), /no UTF-8/);
      const [first = '', ...rest] = lines();
      await refused(listOf([first.replace('"epoch"', ' "epoch"'), ...rest]), /not in canonical form/);
    });

    it('without an end is refused when it is longer than anything honest: a line, or all of them', async () => {
      const endless = (piece: () => string) => (socket: Socket) => {
        const head = Object.entries(headOf()).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`HTTP/1.1 200 OK\r\n${head.join('')}Transfer-Encoding: chunked\r\n\r\n`);
        const more = (): void => {
          while (!socket.destroyed) {
            const text = piece();
            if (!socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)) return void socket.once('drain', more);
          }
        };
        more();
      };
      const oneLine = await asking(endless(() => 'x'.repeat(10_000)));
      await assert.rejects(oneLine.changes(null, unhurried), failing('not-believed', 'too-large', /line 1 is longer/));
      await origin?.close();

      await held.renew({ seq: 1_000_000 });
      let seq = 0;
      const [first = ''] = lines();
      const record = (): string => `${altered(first, { seq: ++seq, path: `page${seq}` })}\n`;
      const tooMany = await asking(endless(record), { mostChanges: 100 });
      await assert.rejects(
        tooMany.changes(null, unhurried),
        failing('not-believed', 'too-large', /more than 100 lines/),
      );
      await origin?.close();
      seq = 0;
      const tooLong = await asking(endless(record), { mostBytes: bytes(20_000) });
      const refusal = failing('not-believed', 'too-large', /more than 20000 bytes/);
      await assert.rejects(tooLong.changes(null, unhurried), refusal);
    });
  });

  describe('in gzip', () => {
    const packed = (content: string | Buffer, fields: Record<string, string> = {}) =>
      answered(content, { ...headOf(), 'Content-Encoding': 'gzip', ...fields });

    it('is decoded: the control', async () => {
      const holder = await packed(gzipSync(listOf(lines())));
      assert.equal((await holder.changes(null, unhurried)).kind, 'changes');
    });

    it('is refused if it is none, or cut short, or in another coding', async () => {
      const broken = await packed('no gzip at all');
      await assert.rejects(broken.changes(null, unhurried), failing('not-believed', 'malformed', /broken gzip/));
      await origin?.close();
      const short = await packed(gzipSync(listOf(lines())).subarray(0, -9));
      await assert.rejects(short.changes(null, unhurried), failing('not-believed', 'malformed', /broken gzip/));
      await origin?.close();
      const other = await packed('x', { 'Content-Encoding': 'br' });
      await assert.rejects(other.changes(null, unhurried), failing('not-believed', 'malformed', /not asked for/));
    });

    it('is refused if it grows beyond all measure, before much of it is held', async () => {
      const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, '\n'));
      const listed = await packed(bomb);
      await assert.rejects(listed.changes(null, unhurried), failing('not-believed', 'malformed', /line 1 is empty/));
      await origin?.close();
      const boundary = 'b';
      const fields = { 'Content-Type': `multipart/mixed; boundary=${boundary}` };
      const bundled = await packed(bomb, fields);
      await assert.rejects(
        all(bundled.bundle(null, bytes(131_072), unhurried)),
        failing('not-believed', 'too-large', /bundle: /),
      );
      await origin?.close();
      const { caller } = await callers();
      origin = await rawOrigin((socket) => void socket.write(answer(bomb, { 'Content-Encoding': 'gzip' })));
      const url = `http://127.0.0.1:${origin.port}`;
      const call = { url, method: 'GET', path: 'x', content: null, fields: [], signal: unhurried } as const;
      const patience = milliseconds(10_000);
      const opened = await caller.open({ ...call, patience });
      let size = 0;
      const drained = async (): Promise<void> => {
        for (let chunk = await opened.body.read(); chunk !== null; chunk = await opened.body.read())
          size += chunk.length;
      };
      await assert.rejects(drained(), failing('not-believed', 'too-large', /200 to 1/));
      assert.ok(size <= 17 * 1_048_576, `${size} bytes`);
      await assert.rejects(
        caller.ask({ ...call, patience }, bytes(1000)),
        failing('not-believed', 'too-large', /more than 1000 bytes/),
      );
    });

    it('is refused if it goes on with nothing in it', async () => {
      const empty = gzipSync('');
      const nothing = Buffer.concat(Array.from({ length: 100_000 }, () => empty));
      const holder = await packed(nothing);
      await assert.rejects(holder.changes(null, unhurried), failing('not-believed', 'too-large', /nothing in it/));
    });
  });

  describe('slowly', () => {
    const patience = milliseconds(200);

    it('or not at all, is given up', async () => {
      const holder = await asking(() => undefined, { patience });
      await assert.rejects(
        holder.changes(null, unhurried),
        failing('unreachable', 'upstream-timeout', /no answer in 0\.2 s/),
      );
    });

    it('byte by byte, is given up', async () => {
      const text = listOf(lines());
      const holder = await asking(
        (socket) => {
          const whole = answer(text, headOf());
          let at = whole.length - text.length;
          socket.write(whole.subarray(0, at));
          const drip = setInterval(() => {
            if (socket.destroyed || at === whole.length) clearInterval(drip);
            else socket.write(whole.subarray(at, ++at));
          }, 20);
        },
        { patience },
      );
      await assert.rejects(holder.changes(null, unhurried), failing('unreachable', 'silent', /less than 16 KiB/));
    });

    it('is left when the caller no longer wants it: before the answer, and within', async () => {
      const before = new AbortController();
      const mute = await asking((socket) => {
        assert.equal(socket.destroyed, false);
        before.abort(new Error('enough'));
      });
      await assert.rejects(mute.changes(null, before.signal), /^Error: enough$/);
      await assert.rejects(mute.changes(null, before.signal), /^Error: enough$/);
      await origin?.close();
      const within = new AbortController();
      const closed = new Promise<void>((resolve) => {
        void asking((socket) => {
          socket.on('close', resolve);
          socket.write(answer(listOf(lines()), headOf()).subarray(0, -10));
          setImmediate(() => within.abort(new Error('enough')));
        }).then(async (holder) => {
          await assert.rejects(holder.changes(null, within.signal), /^Error: enough$/);
        });
      });
      await closed;
    });
  });

  describe('in place of what was asked for', () => {
    it('is refused: a redirect is not followed, an error says why', async () => {
      const moved = await answered('', { Location: 'http://127.0.0.1:1/' }, 302);
      await assert.rejects(moved.changes(null, unhurried), failing('refused', '', /answered 302/));
      assert.equal(origin!.requests.length, 1);
      await origin?.close();
      const problem = JSON.stringify({ type: 'urn:willis:problem:unknown-key', detail: 'no \u001b[31m member' });
      const refusing = await answered(problem, { 'Content-Type': 'application/problem+json' }, 401);
      await assert.rejects(
        refusing.changes(null, unhurried),
        failing('refused', 'unknown-key', /answered 401 \(unknown-key, "no \\u001b\[31m member"\)$/),
      );
      await origin?.close();
      for (const [status, fault] of [
        [503, 'busy'],
        [429, 'busy'],
        [500, 'unreachable'],
        [502, 'unreachable'],
        [404, 'refused'],
        [204, 'refused'],
      ] as const) {
        const failed = await answered('', {}, status);
        await assert.rejects(failed.head(null, milliseconds(0), unhurried), failing(fault, ''));
        await origin?.close();
      }
    });

    it('is refused if it is a conflict without a head, or for whoever has nothing', async () => {
      const problem = JSON.stringify({ type: 'urn:willis:problem:diverged' });
      const fields = { 'Content-Type': 'application/problem+json' };
      const bare = await answered(problem, fields, 409);
      await assert.rejects(bare.changes(position(), unhurried), failing('not-believed', 'malformed', /no WLIS-Head/));
      await origin?.close();
      const strange = await answered(problem, { ...fields, ...headOf() }, 409);
      await assert.rejects(strange.changes(null, unhurried), failing('not-believed', 'malformed', /without a reason/));
    });

    it('is refused as a blob if it is another range, longer or shorter', async () => {
      const digest = sha256Of('one');
      const read = (holder: HttpRemoteHolder) => all(holder.blob(digest, bytes(0), bytes(3), unhurried));
      const range = (said: string) => ({ 'Content-Range': said });
      for (const [content, fields, status, reason] of [
        ['on', range('bytes 0-2/3'), 206, 'malformed'],
        ['ones', range('bytes 0-2/3'), 206, 'too-large'],
        ['one', range('bytes 1-3/4'), 206, 'wrong-subject'],
        ['one', range('bytes */3'), 206, 'wrong-subject'],
        ['one', {}, 206, 'wrong-subject'],
        ['ones', {}, 200, 'wrong-subject'],
      ] as const) {
        const holder = await answered(content, fields, status);
        await assert.rejects(read(holder), failing('not-believed', reason, new RegExp(digest)));
        await origin?.close();
      }
      const whole = await answered('one');
      assert.equal(Buffer.concat(await read(whole)).toString(), 'one');
    });

    it('is refused as a block list if it has another digest, or is too long', async () => {
      const list = Buffer.alloc(64, 1);
      const digest = sha256Of(list);
      const wrong = await answered(Buffer.alloc(64, 2));
      await assert.rejects(
        wrong.blockList(digest, unhurried),
        failing('not-believed', 'wrong-digest', new RegExp(digest)),
      );
      await origin?.close();
      const long = await answered(Buffer.alloc(131_073));
      await assert.rejects(long.blockList(digest, unhurried), failing('not-believed', 'too-large'));
      await origin?.close();
      assert.deepEqual(await (await answered(list)).blockList(digest, unhurried), list);
    });

    it('is refused as a part of a trie if it is of another root, or not what was asked for', async () => {
      const { root } = position();
      const whole = subtreeText(subtreeAt(held.edition!.trie, WHOLE));
      const parts = async (content: string, reason: string) => {
        const holder = await answered(content);
        await assert.rejects(holder.subtrees(root!, [WHOLE], unhurried), failing('not-believed', reason, /trie|list/));
        await origin?.close();
      };
      await parts(listOf([whole], { root: sha256Of('x') }), 'wrong-subject');
      await parts(listOf([]), 'malformed');
      await parts(listOf([whole, whole]), 'too-large');
      const [a = '', b = ''] = lines();
      const key = recordKey({ namespace: held.namespace, path: 'a.txt' });
      const other = await answered(listOf([b]));
      await assert.rejects(other.records(root!, [key], unhurried), failing('not-believed', 'wrong-subject'));
      await origin?.close();
      assert.equal((await (await answered(listOf([a]))).records(root!, [key], unhurried)).length, 1);
    });

    it('is refused as a bundle if a content has another digest, its epoch is another, or its end is missing', async () => {
      const boundary = 'b0undary';
      const upTo = { epoch: held.epoch, seq: 3 };
      const variant = { type: null, coding: null, language: null, digest: sha256Of('one') };
      const part = (content: string, over: Partial<typeof upTo> = {}) =>
        Buffer.concat(
          bundlePart({ uri: null, variant, upTo: { ...upTo, ...over }, content: Buffer.from(content) }, boundary),
        );
      const end = bundleEnd(boundary);
      const fields = { 'Content-Type': `multipart/mixed; boundary=${boundary}` };
      const since = { ...position(), seq: 0 };
      const taken: string[] = [];
      const read = async (pieces: readonly Buffer[], type = fields): Promise<void> => {
        const holder = await answered(Buffer.concat(pieces), type);
        taken.length = 0;
        for await (const { content } of holder.bundle(since, bytes(131_072), unhurried)) taken.push(content.toString());
      };
      await read([part('one'), end]);
      assert.deepEqual(taken, ['one']);
      await origin?.close();
      await assert.rejects(read([part('two'), end]), failing('not-believed', 'wrong-digest'));
      assert.deepEqual(taken, []);
      await origin?.close();
      const epoch = held.epoch.replace('17', '18') as typeof held.epoch;
      await assert.rejects(read([part('one', { epoch }), end]), failing('not-believed', 'out-of-date'));
      await origin?.close();
      await assert.rejects(read([part('one')]), failing('not-believed', 'malformed', /ends before its end/));
      assert.deepEqual(taken, ['one']);
      await origin?.close();
      await assert.rejects(
        read([part('one'), end], { 'Content-Type': 'text/html' }),
        failing('not-believed', 'malformed'),
      );
    });
  });

  it('is not asked for a namespace of https without TLS', async () => {
    const { caller } = await callers();
    const { keyFor } = held;
    const secret = await HeldFixture.create({ namespace: 'https://docs.example.org/' });
    const url = 'http://127.0.0.1:1';
    assert.throws(
      () => new HttpRemoteHolder({ url, caller, keyFor, namespace: secret.namespace, patience: milliseconds(1) }),
      failing('refused', 'insecure', /TLS only/),
    );
  });
});
