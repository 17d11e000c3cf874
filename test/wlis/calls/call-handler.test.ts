import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { bytes, milliseconds } from '../../../config/units.js';
import { systemClock } from '../../../proxy/base/clock.js';
import type { OutgoingRequest } from '../../../proxy/forward/upstream.js';
import type { HttpUpstream } from '../../../proxy/forward/http-upstream.js';
import { BufferedBody, readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { parseRequestTarget } from '../../../proxy/http/request-target.js';
import { identifyNode } from '../../../wlis/calls/identify-node.js';
import { NodeResource } from '../../../wlis/calls/node-resource.js';
import { openNodeStatement, signNodeStatement, type NodeStatement } from '../../../wlis/calls/node-statement.js';
import type { CallResource } from '../../../wlis/calls/received-call.js';
import { RootResource } from '../../../wlis/calls/root-resource.js';
import type { CallKey } from '../../../wlis/call-key.js';
import { callSignature } from '../../../wlis/signed-request.js';
import { canonicalUri } from '../../../wlis/canonical-uri.js';
import { openProofAnswer } from '../../../wlis/trust/proof-answer.js';
import { NOT_FOUND } from '../../../wlis/trust/record.js';
import { createUpstream, never } from '../../forward/upstream-fixture.js';
import { closeServers } from '../../http/test-server.js';
import { disbelief } from '../trust/disbelief.js';
import { HeldFixture, sha256Of } from '../../replication/held-fixture.js';
import {
  answeringNode,
  callers,
  closeCallers,
  failing,
  newCallKey,
  unhurried,
  type AnsweringNode,
} from '../../replication/calls/call-fixture.js';

interface Answer {
  readonly status: number;
  readonly fields: Fields;
  readonly content: Buffer;
}

describe('what answers calls', () => {
  let held: HeldFixture;
  let node: AnsweringNode;
  let upstream: HttpUpstream;
  let key: CallKey;

  const echo: CallResource = {
    methods: ['GET', 'PUT'],
    answer: (call) => {
      const { name, rest, query, content } = call;
      if (query.has('fail')) throw new TypeError('a secret of this node');
      const signer = query.has('signed') ? call.signedBy(() => key.publicKey) : null;
      const said = JSON.stringify({ name, rest, query: [...query], content: content?.toString() ?? null, signer });
      return { status: 200, reason: '', fields: Fields.none, body: BufferedBody.from(said) };
    },
  };

  beforeEach(async () => {
    held = await HeldFixture.create();
    await held.put({ 'a.txt': 'one', 'b.txt': 'two', [NOT_FOUND]: null });
    key = await newCallKey();
    const statement = (): NodeStatement => ({
      ...{ key: key.publicKey, name: 'm1', roles: ['replicated'], urls: [node.url], place: null, capacity: 4 },
    });
    node = await answeringNode([held], {
      resources: [
        ['echo', echo],
        ['node', new NodeResource({ key, statement })],
        ['root', new RootResource({ chainOf: (origin) => (origin === 'http://known.example' ? '{}' : null) })],
      ],
    });
    upstream = createUpstream();
  });

  afterEach(async () => {
    node.waiting.close();
    await upstream.close();
    await closeCallers();
    await closeServers();
  });

  const targetOf = (path: string) => {
    const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
    const parsed = parseRequestTarget(`${node.url}/.well-known/wlis/${path}`, context);
    return parsed.form === 'authority' ? assert.fail() : parsed.target;
  };

  const send = async (path: string, over: Partial<OutgoingRequest> = {}): Promise<Answer> => {
    const target = targetOf(path);
    const { fields = Fields.none, ...more } = over;
    const request = { method: 'GET', target, body: null, ...more, fields: fields.plus('Host', target.authority) };
    const { status, fields: answered, body } = await upstream.forward(request, never);
    return { status, fields: answered, content: body === null ? Buffer.alloc(0) : await readAll(body, bytes(1e9)) };
  };

  const problem = async (path: string, over: Partial<OutgoingRequest> = {}): Promise<readonly [number, string]> => {
    const { status, fields, content } = await send(path, over);
    assert.equal(fields.get('content-type'), 'application/problem+json');
    assert.equal(fields.get('cache-control'), 'no-store');
    const { type, status: said, detail } = JSON.parse(content.toString()) as Record<string, unknown>;
    assert.deepEqual([typeof detail, said], ['string', status]);
    assert.match(String(type), /^urn:willis:problem:[a-z-]+$/);
    return [status, String(type).slice('urn:willis:problem:'.length)];
  };

  it('are found by their names, with what is behind them and their parameters, decoded', async () => {
    const { content } = await send('echo/b/%2F?x=%C3%BC+1&y=a%26b&z&=');
    assert.deepEqual(JSON.parse(content.toString()), {
      ...{ name: 'echo', rest: 'b/%2F', content: null, signer: null },
      query: [
        ['x', 'ü+1'],
        ['y', 'a&b'],
        ['z', ''],
        ['', ''],
      ],
    });
  });

  it('refuse what is no call, other methods, and queries that nobody can agree on', async () => {
    assert.deepEqual(await problem('none'), [404, 'no-such-call']);
    assert.deepEqual(await problem('Echo'), [404, 'no-such-call']);
    assert.deepEqual(await problem(''), [404, 'no-such-call']);
    assert.deepEqual(await problem('echo', { method: 'POST' }), [405, 'method-not-allowed']);
    assert.equal((await send('echo', { method: 'DELETE' })).fields.get('allow'), 'GET, HEAD, PUT');
    assert.deepEqual(await problem('echo?x=1&x=2'), [400, 'malformed-call']);
    assert.deepEqual(await problem('echo?x=%FF'), [400, 'malformed-call']);
    const many = Array.from({ length: 33 }, (_, i) => `x${i}`).join('&');
    assert.deepEqual(await problem(`echo?${many}`), [400, 'malformed-call']);
    assert.deepEqual(await problem('head'), [400, 'malformed-call']);
    assert.deepEqual(await problem('head?namespace=x'), [400, 'malformed-call']);
    for (const query of ['wait=61', 'wait=x', 'wait=-1', 'after=1', 'after=1700000000000-0123456789abcdef.x']) {
      assert.deepEqual(await problem(`head?namespace=${held.namespace}&${query}`), [400, 'malformed-call']);
    }
    for (const query of ['', 'prefix=0', 'root=x&prefix=0']) {
      assert.deepEqual(await problem(`trie?namespace=${held.namespace}&${query}`), [400, 'malformed-call']);
    }
    const { root } = held.edition!.head.head;
    const prefixes = Array.from({ length: 65 }, () => '0').join(',');
    for (const query of [
      '',
      '&prefix=0&keys=0',
      '&prefix=g',
      `&prefix=${prefixes}`,
      '&keys=0',
      `&keys=${sha256Of('')}`,
    ]) {
      assert.deepEqual(await problem(`trie?namespace=${held.namespace}&root=${root}${query}`), [400, 'malformed-call']);
    }
    for (const query of ['maxBytes=1', 'maxBytes=x', 'since=x']) {
      assert.deepEqual(await problem(`bundle?namespace=${held.namespace}&${query}`), [400, 'malformed-call']);
    }
    assert.deepEqual(await problem('blob/x'), [400, 'malformed-call']);
    assert.deepEqual(node.errors, []);
  });

  it('read content up to 64 KiB, and refuse more', async () => {
    const put = (content: string) => ({ method: 'PUT', body: BufferedBody.from(content) });
    const { content } = await send('echo', put('abc'));
    assert.equal((JSON.parse(content.toString()) as { content: string }).content, 'abc');
    assert.equal((await send('echo', put('x'.repeat(65_536)))).status, 200);
    assert.deepEqual(await problem('echo', put('x'.repeat(65_537))), [413, 'content-too-large']);
    const read = once(Buffer.alloc(70_000));
    const chunked = { length: null, trailers: Fields.none, read, cancel: () => undefined };
    assert.deepEqual(await problem('echo', { method: 'PUT', body: chunked }), [413, 'content-too-large']);
  });

  it('answer HEAD with the fields alone', async () => {
    const asked = await send(`head?namespace=${held.namespace}`, { method: 'HEAD' });
    const whole = await send(`head?namespace=${held.namespace}`);
    assert.deepEqual([asked.status, asked.content.length], [200, 0]);
    assert.equal(asked.fields.get('wlis-head'), whole.fields.get('wlis-head'));
    assert.equal(asked.fields.get('content-length'), String(whole.content.length));
  });

  it('say nothing of what went wrong inside but to the log', async () => {
    const { status, content } = await send('echo?fail');
    assert.equal(status, 500);
    assert.doesNotMatch(content.toString(), /secret/);
    assert.match(String(node.errors[0]), /secret/);
  });

  it('know who signed a call, and take it once', async () => {
    const target = targetOf('echo?signed');
    const nonce = 'AAAAAAAAAAAAAAAAAAAAAA';
    const content = Buffer.from('{}');
    const call = { method: 'PUT', target, content };
    const fields = new Fields([...callSignature(call, key, nonce, systemClock.now())]);
    const signed = { method: 'PUT', fields };
    const answer = await send('echo?signed', { ...signed, body: BufferedBody.from(content) });
    assert.equal((JSON.parse(answer.content.toString()) as { signer: string }).signer, key.publicKey);
    const again = { ...signed, body: BufferedBody.from(content) };
    assert.deepEqual(await problem('echo?signed', again), [401, 'replayed']);
    assert.deepEqual(await problem('echo?signed'), [401, 'unsigned']);
    const changed = { ...signed, body: BufferedBody.from('[]') };
    assert.deepEqual(await problem('echo?signed', changed), [401, 'wrong-content']);
    const elsewhere = { ...call, target: { ...target, host: 'm2', authority: 'm2' } };
    const moved = new Fields([...callSignature(elsewhere, key, nonce, systemClock.now())]);
    const misled = { method: 'PUT', fields: moved, body: BufferedBody.from(content) };
    assert.deepEqual(await problem('echo?signed', misled), [401, 'wrong-signature']);
  });

  it('are kept nowhere, but for those that a digest names, which are kept for ever', async () => {
    const digest = sha256Of('one');
    const { status, fields, content } = await send(`blob/${digest}`);
    assert.deepEqual([status, content.toString()], [200, 'one']);
    assert.equal(fields.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(fields.get('etag'), `"${digest}"`);
    assert.equal(fields.get('repr-digest'), `sha-256=:${Buffer.from(digest, 'hex').toString('base64')}:`);
    const known = Fields.of({ 'If-None-Match': `"${digest}"` });
    assert.equal((await send(`blob/${digest}`, { fields: known })).status, 304);
    const part = await send(`blob/${digest}`, { fields: Fields.of({ Range: 'bytes=1-' }) });
    assert.deepEqual([part.status, part.content.toString()], [206, 'ne']);
    assert.equal(part.fields.get('content-range'), 'bytes 1-2/3');
    const several = await send(`blob/${digest}`, { fields: Fields.of({ Range: 'bytes=0-0,2-2' }) });
    assert.deepEqual([several.status, several.content.toString()], [200, 'one']);
    const beyond = Fields.of({ Range: 'bytes=3-' });
    assert.deepEqual(await problem(`blob/${digest}`, { fields: beyond }), [416, 'range-not-satisfiable']);
    assert.equal((await send(`blob/${digest}`, { fields: beyond })).fields.get('content-range'), 'bytes */3');
    for (const path of ['head', 'changes', 'bundle', 'proof'].map((name) => `${name}?namespace=${held.namespace}`)) {
      const answer = await send(`${path}&uri=${held.namespace}`);
      assert.deepEqual([answer.status, answer.fields.get('cache-control')], [200, 'no-store']);
    }
  });

  it('send lists in gzip to those who take it, and the same without it to others', async () => {
    const path = `changes?namespace=${held.namespace}`;
    const plain = await send(path);
    assert.equal(plain.fields.has('content-encoding'), false);
    for (const accept of ['gzip', 'br, gzip;q=0.5', '*', 'x-gzip']) {
      const packed = await send(path, { fields: Fields.of({ 'Accept-Encoding': accept }) });
      assert.equal(packed.fields.get('content-encoding'), 'gzip');
      assert.deepEqual(gunzipSync(packed.content), plain.content);
    }
    for (const accept of ['identity', 'gzip;q=0', 'gzip;q=0, *', 'br', '*;q=0']) {
      const other = await send(path, { fields: Fields.of({ 'Accept-Encoding': accept }) });
      assert.equal(other.fields.has('content-encoding'), false, accept);
    }
  });

  it('prove that a document is there, or that it is not', async () => {
    await held.put({ long: Buffer.alloc(200_000, 'x'), longer: Buffer.alloc(10_000_000, 'y') });
    const proven = async (path: string) => {
      const uri = canonicalUri(`${held.namespace}${path}`);
      const { content } = await send(`proof?namespace=${held.namespace}&uri=${encodeURIComponent(uri)}`);
      return openProofAnswer(content.toString(), { uri, dropsQuery: true }, held.namespace, held.keyFor);
    };
    assert.deepEqual([(await proven('a.txt')).isThere, (await proven('none')).isThere], [true, false]);
    assert.equal((await proven('none')).record, null);
    await held.put({ [NOT_FOUND]: null });
    const long = await proven('long');
    assert.equal(sha256Of(Buffer.from(long.blockLists.get(0)!)), long.record?.variants[0]?.blocks);
    assert.equal((await proven('longer')).blockLists.size, 0);
    assert.deepEqual(await problem(`proof?namespace=${held.namespace}&uri=http://evil.example/`), [
      400,
      'malformed-call',
    ]);
    assert.deepEqual(await problem(`proof?namespace=${held.namespace}&uri=x`), [400, 'malformed-call']);
  });

  it('give the root chains that they have, for the authority that is asked for', async () => {
    assert.equal((await send('root?origin=http://known.example')).content.toString(), '{}');
    assert.deepEqual(await problem('root?origin=http://other.example'), [404, 'no-such-root']);
    assert.deepEqual(await problem('root'), [404, 'no-such-root']);
  });

  describe('say who a node is', () => {
    it('signed by its key, for whoever asked', async () => {
      const { caller } = await callers();
      const said = await identifyNode(caller, node.url, milliseconds(10_000), unhurried);
      const expected = {
        key: key.publicKey,
        name: 'm1',
        roles: ['replicated'],
        urls: [node.url],
        place: null,
        capacity: 4,
      };
      assert.deepEqual(said, expected);
      assert.deepEqual(await problem('node'), [400, 'malformed-call']);
      assert.deepEqual(await problem('node?nonce=short'), [400, 'malformed-call']);
    });

    it('and not if it is what another one said, of another nonce, or under another URL', async () => {
      const nonce = 'BBBBBBBBBBBBBBBBBBBBBB';
      const statement: NodeStatement = {
        ...{ key: key.publicKey, name: 'm1', roles: [], urls: ['https://m1.example'], place: null, capacity: 1 },
      };
      const jws = signNodeStatement(statement, nonce, key);
      assert.deepEqual(await openNodeStatement(jws, nonce), statement);
      await assert.rejects(openNodeStatement(jws, 'CCCCCCCCCCCCCCCCCCCCCC'), disbelief('out-of-date'));
      const liar = await newCallKey();
      const forged = signNodeStatement(statement, nonce, liar);
      await assert.rejects(openNodeStatement(forged, nonce), disbelief('wrong-signature'));
      const [head = '', payload = ''] = jws.split('.');
      const [, , signature = ''] = forged.split('.');
      await assert.rejects(openNodeStatement(`${head}.${payload}.${signature}`, nonce), disbelief('wrong-signature'));
      const { caller } = await callers();
      const named = node.url.replace('127.0.0.1', 'localhost');
      await assert.rejects(
        identifyNode(caller, named, milliseconds(10_000), unhurried),
        failing('not-believed', 'wrong-subject', /none of the URLs/),
      );
    });
  });
});

const once = (content: Buffer) => {
  let left: Buffer | null = content;
  return (): Buffer | null => {
    const next = left;
    left = null;
    return next;
  };
};
