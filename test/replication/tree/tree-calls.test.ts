import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../../config/units.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import {
  handlerFor,
  headOf,
  heldAt,
  openRules,
  PrimaryFixture,
  ReplicaFixture,
  requestTo,
  site,
  TreeNetwork,
} from './tree-network.js';
import type { CallHandler } from '../../../wlis/calls/call-handler.js';
import { HEAD_FIELD, headField } from '../../../wlis/calls/head-field.js';
import { joinRequestText, parseJoinRequest, type JoinRequest } from '../../../replication/tree/join-request.js';
import type { CallKey } from '../../../wlis/call-key.js';
import { callSignature } from '../../../wlis/signed-request.js';
import { openGroup } from '../../../wlis/trust/group.js';
import { NotBelieved } from '../../../wlis/trust/not-believed.js';
import { TempDir } from '../../support/temp-dir.js';
import { until } from '../../support/waiting.js';

const query = `namespace=${encodeURIComponent(site)}`;
let nonces = 0;

describe('calls about the tree', () => {
  let directory: TempDir;
  let network: TreeNetwork;
  let primary: PrimaryFixture;
  let handler: CallHandler;
  let started: (PrimaryFixture | ReplicaFixture)[];

  beforeEach(async () => {
    directory = await TempDir.create();
    network = new TreeNetwork();
    primary = await PrimaryFixture.create(network, directory.path);
    await primary.start();
    started = [primary];
    handler = handlerFor(
      network,
      primary.key,
      [primary.url],
      () => primary.tree,
      () => primary.head?.head ?? null,
    );
  });

  afterEach(async () => {
    await Promise.all(started.map((node) => node.stop()));
    await directory.remove();
  });

  /** A replica that answers at its URL, and does nothing by itself. */
  async function quietReplica(name: string): Promise<ReplicaFixture> {
    const one = await ReplicaFixture.create(primary, directory.path, name);
    network.attach(
      one.url!,
      handlerFor(network, one.key, [one.url!], () => undefined),
    );
    return one;
  }

  const requestOf = ({ self }: ReplicaFixture, over: Partial<JoinRequest> = {}): JoinRequest => ({
    ...{ ...self, held: null, source: null, group: null, token: null },
    ...over,
  });

  interface Sent {
    readonly method?: string;
    readonly path: string;
    readonly content?: string;
    readonly signer?: CallKey;
    readonly fields?: Fields;
    /** What is signed instead of the content. */
    readonly signed?: string;
  }

  async function answerOf(
    { method = 'GET', path, content, signer, fields, signed }: Sent,
    at = handler,
  ): Promise<{
    readonly status: number;
    readonly text: string;
    readonly type: string;
    readonly fields: Fields;
  }> {
    const body = content === undefined ? null : Buffer.from(content);
    const request = requestTo(primary.url, `/.well-known/wlis/${path}`, method, body);
    const call = { method, target: request.target, content: signed === undefined ? body : Buffer.from(signed) };
    const nonce = `call${String(nonces++).padStart(24, '0')}`;
    const own = signer === undefined ? [] : callSignature(call, signer, nonce, network.clock.now());
    const answer = await at.handle({ ...request, fields: fields ?? new Fields(own) });
    const text = answer.body === null ? '' : (await readAll(answer.body, bytes(2_000_000))).toString();
    const type = answer.status < 400 ? '' : /[a-z-]+$/.exec((JSON.parse(text) as { type: string }).type)![0];
    return { status: answer.status, text, type, fields: answer.fields };
  }

  const put = (one: ReplicaFixture, over: Partial<Sent> = {}, more: Partial<JoinRequest> = {}): Sent => ({
    ...{ method: 'PUT', path: `replicas/${one.id}?${query}`, content: joinRequestText(requestOf(one, more)) },
    ...{ signer: one.key, ...over },
  });

  it('of a replica are its own: another key, another name, other content and no signature are refused', async () => {
    const [a, b] = [await quietReplica('a'), await quietReplica('b')];
    const wrong: readonly (readonly [Sent, number, string])[] = [
      [put(a, { signer: b.key }), 401, 'unknown-key'],
      [put(a, { path: `replicas/${b.id}?${query}` }), 400, 'malformed-call'],
      [put(a, { path: `replicas/${b.id}?${query}`, signer: b.key }), 400, 'malformed-call'],
      [put(a, { signed: joinRequestText(requestOf(a, { held: heldAt(9) })) }), 401, 'wrong-content'],
      [put(a, { fields: Fields.none }), 401, 'unsigned'],
      [put(a, { path: `replicas/nobody?${query}` }), 400, 'malformed-call'],
      [put(a, { content: '{"key":1}' }), 400, 'malformed-call'],
      [put(a, { path: `replicas/${a.id}?namespace=ftp://x/` }), 400, 'malformed-call'],
      [put(a, { path: `replicas/${a.id}` }), 400, 'malformed-call'],
    ];
    for (const [sent, status, type] of wrong) {
      const answer = await answerOf(sent);
      assert.deepEqual([answer.status, answer.type], [status, type], answer.text);
    }
    assert.deepEqual(primary.tree.members.replicas(), []);
    assert.equal((await answerOf(put(a))).status, 200);
  });

  it('of a replica count once', async () => {
    const a = await quietReplica('a');
    const sent = put(a);
    const { target } = requestTo(primary.url, `/.well-known/wlis/${sent.path}`, 'PUT', null);
    const call = { method: 'PUT', target, content: Buffer.from(sent.content!) };
    const fields = new Fields(callSignature(call, a.key, 'thesame0thesame0thesame0', network.clock.now()));
    assert.equal((await answerOf({ ...sent, fields })).status, 200);
    assert.equal((await answerOf({ ...sent, fields })).type, 'replayed');
  });

  it('that end a membership are the own ones of a member', async () => {
    const [a, b] = [await quietReplica('a'), await quietReplica('b')];
    await answerOf(put(a));
    const leave = { method: 'DELETE', path: `replicas/${a.id}?${query}` };
    assert.equal((await answerOf({ ...leave, signer: b.key })).type, 'unknown-key');
    assert.equal(primary.tree.memberKey(a.id), a.key.publicKey);
    assert.equal((await answerOf({ ...leave, signer: a.key })).status, 204);
    assert.equal(primary.tree.memberKey(a.id), null);
    assert.equal((await answerOf({ ...leave, signer: a.key })).type, 'unknown-key');
  });

  it('give the group signed, to anybody, and with the answer to a joining if it is news', async () => {
    const a = await quietReplica('a');
    const joined = JSON.parse((await answerOf(put(a))).text) as { group: string };
    const { text, fields } = await answerOf({ path: `group?${query}` });
    assert.equal(text, joined.group);
    assert.equal(fields.get('cache-control'), 'no-store');
    const { group } = await openGroup(text, site, () => primary.signer.publicKey);
    assert.deepEqual(
      group.replicas.map(({ urls }) => urls),
      [['http://a.example']],
    );
    const again = JSON.parse((await answerOf(put(a, {}, { group: group.version }))).text) as object;
    assert.ok(!('group' in again), 'what is known was sent again');
  });

  it('about namespaces that are not here say so', async () => {
    const nowhere = handlerFor(network, primary.key, [primary.url], () => undefined);
    for (const path of ['changed', 'group', 'status']) {
      const answer = await answerOf({ path: `${path}?${query}` }, nowhere);
      assert.deepEqual([answer.status, answer.type], [404, 'not-replicated'], path);
      assert.equal(answer.fields.get('cache-control'), 'no-store');
    }
    const atPrimary = await answerOf({ path: `changed?${query}&epoch=1-00&seq=1` });
    assert.deepEqual([atPrimary.status, atPrimary.type], [404, 'not-replicated']);
  });

  it('of a notification are taken whatever they say', async () => {
    const a = await ReplicaFixture.create(primary, directory.path, 'a');
    started.push(a);
    await a.start();
    const at = handlerFor(network, a.key, [primary.url], () => a.tree);
    const head = await headOf(3, primary.signer, network.clock);
    const told = headField({ jws: head.jws, age: milliseconds(0) });
    const calls: Sent[] = [
      { path: `changed?${query}` },
      { path: `changed?${query}&epoch=nonsense&seq=-1&n=x` },
      { path: `changed?${query}`, fields: Fields.of({ [HEAD_FIELD]: 'no string' }) },
      { path: `changed?${query}&epoch=${head.head.epoch}&seq=3&n=x`, fields: Fields.of({ [HEAD_FIELD]: told }) },
    ];
    for (const call of calls) {
      const answer = await answerOf(call, at);
      assert.deepEqual([answer.status, answer.text, answer.fields.get('cache-control')], [202, '', 'no-store']);
    }
    assert.equal(a.hints.at(-1)?.jws, head.jws);
    assert.equal(a.tree.hints.received, 4);
  });

  it('say who holds a version, and wait until all do', async () => {
    const [a, b] = [await quietReplica('a'), await quietReplica('b')];
    assert.equal((await answerOf({ path: `status?${query}` })).type, 'not-ready');
    await primary.publish(7);
    await answerOf(put(a, {}, { held: heldAt(7) }));
    await answerOf(put(b, {}, { held: heldAt(5) }));
    const standing = (text: string): unknown =>
      (JSON.parse(text) as { replicas: { id: string; standing: string }[] }).replicas
        .map(({ id, standing: one }) => [id === a.id ? 'a' : 'b', one])
        .sort();
    const behind = [
      ['a', 'in-step'],
      ['b', 'behind'],
    ];
    assert.deepEqual(standing((await answerOf({ path: `status?${query}` })).text), behind);
    const { epoch } = primary.head!.head;
    const all = [
      ['a', 'in-step'],
      ['b', 'in-step'],
    ];
    assert.deepEqual(standing((await answerOf({ path: `status?${query}&epoch=${epoch}&seq=5` })).text), all);
    assert.equal((await answerOf({ path: `status?${query}&epoch=x&seq=5` })).status, 400);
    assert.equal((await answerOf({ path: `status?${query}&wait=61` })).status, 400);
    const waiting = [0, 1, 2, 3].map(() => answerOf({ path: `status?${query}&wait=60` }));
    await network.quiet();
    const tooMany = await answerOf({ path: `status?${query}&wait=60` });
    assert.deepEqual([tooMany.status, tooMany.type], [503, 'too-many-waiting']);
    await answerOf(put(b, {}, { held: heldAt(7) }));
    for (const one of await Promise.all(waiting)) assert.deepEqual(standing(one.text), all);
  });

  it('of status say at a replica who the primary is', async () => {
    const a = await ReplicaFixture.create(primary, directory.path, 'a');
    started.push(a);
    await a.start();
    await until(() => a.tree.group !== null);
    const answer = await answerOf(
      { path: `status?${query}` },
      handlerFor(network, a.key, [primary.url], () => a.tree),
    );
    assert.deepEqual([answer.status, answer.type], [404, 'not-primary']);
    assert.match(answer.text, /http:\/\/p\.example/);
  });

  it('of a child are taken from those that the group names, and not from the node above', async () => {
    const [a, b] = [await ReplicaFixture.create(primary, directory.path, 'a'), await quietReplica('b')];
    started.push(a);
    await a.start();
    await until(() => a.tree.membership.standing.state === 'joined');
    const at = handlerFor(network, a.key, [primary.url], () => a.tree);
    assert.equal((await answerOf(put(b), at)).type, 'not-admitted');
    await answerOf(put(b));
    network.clock.advance(1000);
    assert.equal((await answerOf(put(b), at)).text, '{"as":"child","renewAfter":300000}');
    assert.deepEqual(a.tree.children(), [b.id]);
    const above = new ReplicaFixture(network, '', primary.key, primary, null);
    assert.equal((await answerOf(put(above), at)).type, 'above');
    const leave = { method: 'DELETE', path: `replicas/${b.id}?${query}`, signer: b.key };
    assert.equal((await answerOf(leave, at)).status, 204);
    assert.deepEqual(a.tree.children(), []);
    primary.tree.admit({ ...openRules });
  });

  it('that join are read as they were written, and nothing else is', async () => {
    const a = await quietReplica('a');
    const full = requestOf(a, { held: heldAt(3), source: primary.key.id, group: 7, token: 'x'.repeat(20) });
    assert.deepEqual(parseJoinRequest(joinRequestText(full), site), full);
    const text = joinRequestText(full);
    const wrong = [
      text.replace('"group":7', '"group":7,"more":1'),
      text.replace('"group":7', '"group":0'),
      text.replace('immediately', 'sometimes'),
      text.replace('http://a.example', 'http://a.example/x'),
      text.replace('"seq":3', '"seq":-3'),
      ` ${text}`,
      text.replace('x'.repeat(20), 'x'.repeat(600)),
      '',
      'null',
    ];
    for (const one of wrong) assert.throws(() => parseJoinRequest(one, site), NotBelieved, one);
  });
});
