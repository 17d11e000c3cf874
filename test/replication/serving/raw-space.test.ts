import assert from 'node:assert/strict';
import { bytes, epochMs, milliseconds } from '../../../config/units.js';
import { WillisError } from '../../../proxy/base/errors.js';
import type { HeldNamespace } from '../../../replication/held-namespace.js';
import { DocumentHandler, nothingSaid } from '../../../replication/serving/document-handler.js';
import { documentText } from '../../../replication/source/published-document.js';
import { rawTargetIn, RawSpace } from '../../../replication/serving/raw-space.js';
import { parseHeadField } from '../../../wlis/calls/head-field.js';
import { parseRawTarget, rawPath, rawUrl } from '../../../wlis/calls/raw-target.js';
import { canonicalUri } from '../../../wlis/canonical-uri.js';
import { namespaceLabel } from '../../../wlis/namespace.js';
import { parseProofField } from '../../../wlis/piggyback/proof-field.js';
import { openHead } from '../../../wlis/trust/head.js';
import { openProofUnderHead, type ProvenDocument } from '../../../wlis/trust/proof-answer.js';
import { NOT_FOUND } from '../../../wlis/trust/record.js';
import { FakeClock } from '../../support/fake-clock.js';
import { HeldFixture, sha256Of, type HeldFixtureOptions } from '../held-fixture.js';
import { received, visitor, type Received, type VisitorOptions } from './held-example.js';

const at = 1_700_000_000_000;

class Fixture {
  readonly clock = new FakeClock(new Date(at).toISOString());
  readonly errors: unknown[] = [];
  readonly raw: RawSpace;

  private constructor(readonly held: HeldFixture) {
    const documents = new DocumentHandler({ name: 'node-1', clock: this.clock, memory: bytes(1_000_000) });
    const logger = { error: (event: unknown) => void this.errors.push(event) };
    this.raw = new RawSpace({ documents, blobs: held.blobs, memory: bytes(1_000_000), logger });
  }

  static async with(options: HeldFixtureOptions = {}): Promise<Fixture> {
    const made = new Fixture(await HeldFixture.create({ issued: epochMs(at), ...options }));
    await made.held.put({ 'a.txt': 'text', 'long.bin': Buffer.alloc(200_000, 'x'), [NOT_FOUND]: null });
    return made;
  }

  /** @param path behind the label */
  async get(path: string, options: VisitorOptions = {}, held: HeldNamespace = this.held): Promise<Received> {
    const request = visitor(`http://m1.example${rawPath(namespaceLabel(held.namespace), path)}`, options);
    const target = () => rawTargetIn(held.namespace, parseRawTarget(request.target.path)?.path ?? 'no raw target');
    return received(await this.raw.answer(request, held, { target, saying: () => nothingSaid, floor: () => null }));
  }

  /** What an answer proves of a path, by its fields alone. */
  async proven({ fields }: Received, path: string): Promise<ProvenDocument> {
    const { namespace, keyFor } = this.held;
    const head = await openHead(parseHeadField(fields['wlis-head']).jws, namespace, keyFor);
    const text = parseProofField(fields['wlis-proof']) ?? '';
    return openProofUnderHead(text, { uri: canonicalUri(namespace + path), dropsQuery: true }, head);
  }
}

const problemOf = ({ status, content }: Received): readonly unknown[] => {
  const { type } = JSON.parse(content.toString()) as { readonly type: string };
  return [status, type.replace(/^.*:/, '')];
};

describe('raw documents', () => {
  let fixture: Fixture;
  beforeEach(async () => void (fixture = await Fixture.with()));
  afterEach(() => assert.deepEqual(fixture.errors.map(String), []));

  it('are at a URL that has the label of the namespace, and the path with its query', () => {
    const label = namespaceLabel(fixture.held.namespace);
    assert.equal(
      rawUrl('https://m1.example', label, 'a/b?c'),
      `https://m1.example/.well-known/wlis/raw/${label}/a/b?c`,
    );
    assert.deepEqual(parseRawTarget(rawPath(label, 'a/b?c=d&c=d')), { label, path: 'a/b?c=d&c=d' });
    for (const path of ['/a', `/.well-known/wlis/raw/${label}`, `/.well-known/wlis/raw/${label.toUpperCase()}/`]) {
      assert.equal(parseRawTarget(path), null);
    }
  });

  it('are answered as to visitors, with what proves them under a head', async () => {
    const answer = await fixture.get('a.txt');
    assert.deepEqual([answer.status, answer.content.toString()], [200, 'text']);
    assert.equal(answer.fields['cache-control'], 'max-age=60');
    assert.equal(answer.fields['digest'], `SHA-256=${Buffer.from(sha256Of('text'), 'hex').toString('base64')}`);
    const proven = await fixture.proven(answer, 'a.txt');
    assert.equal(proven.isThere, true);
    assert.equal(proven.record?.variants[0]?.digest, sha256Of('text'));
    assert.equal(proven.jws, fixture.held.edition?.head.jws);
  });

  it('say how long ago the head was published, as this node knows it', async () => {
    fixture.held.confirmedAge = milliseconds(1234);
    assert.equal(parseHeadField((await fixture.get('a.txt')).fields['wlis-head']).age, 1234);
  });

  it('that are not there are proven not to be, with what is answered instead', async () => {
    const answer = await fixture.get('none');
    const proven = await fixture.proven(answer, 'none');
    assert.deepEqual([answer.status, proven.isThere, proven.record], [404, false, null]);
    const nothing = documentText({
      status: 404,
      fields: [],
      variants: [fixture.held.blobs.add(Buffer.from('nothing'))],
    });
    await fixture.held.publish([{ path: NOT_FOUND, document: nothing }]);
    const other = await fixture.get('none');
    assert.equal((await fixture.proven(other, 'none')).record?.path, NOT_FOUND);
  });

  it('are proven without a query that no document has, together with that none has it (decision 17)', async () => {
    const answer = await fixture.get('a.txt?b=c');
    assert.equal(answer.content.toString(), 'text');
    const proven = await fixture.proven(answer, 'a.txt?b=c');
    assert.deepEqual([proven.isThere, proven.record?.path], [true, 'a.txt']);
    await fixture.held.put({ 'a.txt?b=c': 'other' });
    const own = await fixture.get('a.txt?b=c');
    assert.deepEqual(
      [own.content.toString(), (await fixture.proven(own, 'a.txt?b=c')).record?.path],
      [...['other', 'a.txt?b=c']],
    );
  });

  it('are had in ranges, by conditions and by HEAD, each answer with its proof', async () => {
    const part = await fixture.get('long.bin', { fields: { Range: 'bytes=65536-131071' } });
    assert.deepEqual([part.status, part.content.length], [206, 65_536]);
    assert.equal((await fixture.proven(part, 'long.bin')).blockLists.get(0)?.length, 4 * 32);
    const etag = part.fields['etag'] as string;
    const unchanged = await fixture.get('long.bin', { fields: { 'If-None-Match': etag } });
    assert.deepEqual([unchanged.status, unchanged.content.length], [304, 0]);
    assert.equal((await fixture.proven(unchanged, 'long.bin')).record?.seq, 2);
    const head = await fixture.get('long.bin', { method: 'HEAD' });
    assert.deepEqual([head.status, head.content.length, head.fields['content-length']], [200, 0, '200000']);
    assert.equal((await fixture.proven(head, 'long.bin')).isThere, true);
  });

  it('have the proof of the newest head, and that of their newest version', async () => {
    const before = await fixture.get('a.txt');
    await fixture.held.renew();
    const renewed = await fixture.get('a.txt');
    assert.equal(renewed.fields['wlis-proof'], before.fields['wlis-proof']);
    assert.notEqual(renewed.fields['wlis-head'], before.fields['wlis-head']);
    await fixture.held.put({ 'b.txt': 'beside' });
    assert.equal((await fixture.proven(await fixture.get('a.txt'), 'a.txt')).head.seq, 4);
    await fixture.held.put({ 'a.txt': 'changed' });
    const changed = await fixture.get('a.txt');
    assert.equal(changed.content.toString(), 'changed');
    assert.equal((await fixture.proven(changed, 'a.txt')).record?.seq, 5);
  });

  it('that are ahead of what can be proven are sent without a proof', async () => {
    const { held } = fixture;
    const newer = await HeldFixture.create({ issued: epochMs(at), key: held.key });
    await newer.put({ 'a.txt': 'newer' });
    const ahead: HeldNamespace = {
      ...{ namespace: held.namespace, role: 'replica', policy: held.policy, edition: held.edition },
      ...{ content: newer.content, confirmedAge: milliseconds(0) },
      settled: () => held.settled(),
      provable: () => held.provable(),
      visible: (path) => (path === 'a.txt' ? newer.visible(path) : held.visible(path)),
      onEdition: () => () => undefined,
    };
    const answer = await fixture.get('a.txt', {}, ahead);
    assert.equal(answer.content.toString(), 'newer');
    assert.deepEqual([answer.fields['wlis-proof'], answer.fields['wlis-head']], [undefined, undefined]);
    assert.notEqual((await fixture.get('none', {}, ahead)).fields['wlis-proof'], undefined);
  });

  it('of which the proof would be too long are sent without it, or without block lists alone', async () => {
    const { held } = fixture;
    const list = Buffer.alloc(128 * 65_536, 'y');
    const long = `${'long/'.repeat(800)}.bin`;
    await held.put({ [long]: list });
    const answer = await fixture.get(long, { method: 'HEAD' });
    const proven = await fixture.proven(answer, long);
    assert.deepEqual([proven.isThere, proven.blockLists.size], [true, 0]);
    const longer = `${'longer/'.repeat(1500)}.bin`;
    await held.put({ [longer]: 'x' });
    const other = await fixture.get(longer);
    assert.deepEqual([other.status, other.fields['wlis-proof']], [200, undefined]);
    assert.notEqual(other.fields['wlis-head'], undefined);
  });

  it('are open to pages of any origin, and in an origin of their own where a browser shows them (decisions 6 and 16)', async () => {
    const { fields } = await fixture.get('a.txt');
    assert.equal(fields['access-control-allow-origin'], '*');
    assert.match(fields['access-control-expose-headers'] as string, /WLIS-Head, WLIS-Proof/);
    assert.match(fields['content-security-policy'] as string, /^sandbox (?!.*allow-same-origin)/);
    assert.equal(fields['x-content-type-options'], 'nosniff');
    const asked = await fixture.get('a.txt', { method: 'OPTIONS', fields: { Origin: 'http://x.example' } });
    assert.deepEqual([asked.status, asked.fields['access-control-allow-methods']], [204, 'GET, HEAD']);
    const worker = await fixture.get('a.txt', { fields: { 'Service-Worker': 'script' } });
    assert.deepEqual(problemOf(worker), [403, 'no-service-worker']);
    assert.equal(worker.fields['access-control-allow-origin'], '*');
  });

  it('are not changed, and not looked for outside of the namespace', async () => {
    assert.deepEqual(problemOf(await fixture.get('a.txt', { method: 'POST' })), [405, 'method-not-allowed']);
    const inner = await Fixture.with({ namespace: 'http://docs.example.org/inner/' });
    assert.deepEqual(problemOf(await inner.get('../a.txt')), [421, 'misdirected']);
    assert.deepEqual(problemOf(await inner.get('a%00b')), [400, 'bad-request']);
    assert.deepEqual(problemOf(await inner.get('.%5Cx')), [400, 'bad-request']);
  });

  it('that would have to be fetched are not, for those who do not want that (decision 4)', async () => {
    const { held } = fixture;
    const lacking: HeldNamespace = {
      ...{ namespace: held.namespace, role: 'replica', policy: held.policy, edition: held.edition },
      confirmedAge: milliseconds(0),
      content: { has: () => false, read: (...args) => held.content.read(...args) },
      settled: () => held.settled(),
      provable: () => held.provable(),
      visible: (path) => held.visible(path),
      onEdition: () => () => undefined,
    };
    const asked = { fields: { 'Cache-Control': 'only-if-cached' } };
    assert.deepEqual(problemOf(await fixture.get('long.bin', asked, lacking)), [504, 'not-cached']);
    assert.equal((await fixture.get('long.bin', { ...asked, method: 'HEAD' }, lacking)).status, 200);
    assert.equal((await fixture.get('none', asked, lacking)).status, 404);
    assert.equal((await fixture.get('long.bin', {}, lacking)).content.length, 200_000);
    assert.equal((await fixture.get('long.bin', asked, held)).status, 200);
  });

  it('what goes wrong is a problem of the call: nothing held yet, too old a copy, a node that fails', async () => {
    const empty = await HeldFixture.create({ role: 'replica', isEmpty: true });
    assert.deepEqual(problemOf(await fixture.get('a.txt', {}, empty)), [503, 'unconfirmed']);
    const request = visitor('http://m1.example/x');
    const target = () => rawTargetIn(fixture.held.namespace, 'a.txt');
    const behind = new WillisError('behind', 'x', { answerFields: ['Retry-After', '1'] });
    const visit = { target, saying: () => nothingSaid, floor: () => Promise.reject(behind) };
    const refused = await received(await fixture.raw.answer(request, fixture.held, visit));
    assert.deepEqual(problemOf(refused), [503, 'behind']);
    assert.equal(refused.fields['retry-after'], '1');
    const failing = { ...visit, floor: () => Promise.reject(new Error('of this node')) };
    const failed = await received(await fixture.raw.answer(request, fixture.held, failing));
    assert.deepEqual(problemOf(failed), [500, 'internal']);
    assert.equal(failed.content.toString().includes('of this node'), false);
    assert.equal(fixture.errors.splice(0).length, 1);
  });

  it('are proven from memory within its limit', async () => {
    const before = fixture.raw.size;
    await fixture.get('a.txt');
    assert.ok(fixture.raw.size > before, 'it is kept');
    for (let i = 0; i < 2000; i++) await fixture.get(`none${i}?${'x'.repeat(200)}`);
    assert.ok(fixture.raw.size <= fixture.raw.limit, `${fixture.raw.size}`);
  });
});
