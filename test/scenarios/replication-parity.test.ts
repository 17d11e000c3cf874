import assert from 'node:assert/strict';
import { isOwnLink } from '../../wlis/piggyback/link-field.js';
import { digestOfText } from '../../wlis/trust/digest.js';
import { exampleKeys, fillWithExamples } from '../support/example-tree.js';
import type { RawResponse } from '../support/raw-client.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import { send, type SiteNode, type VisitorRequest } from '../support/site-node.js';

describe('Rule 8 of the protocol: a second-level replica answers as the primary does', function () {
  this.timeout(120_000);
  let site: ReplicatedSite;
  let second: SiteNode;
  let paths: readonly string[];
  /** Of the plain answers of the primary, by the path. */
  const etags = new Map<string, string>();
  /** What the primary answered, by the request. */
  const answers = new Map<string, Told>();

  before(async () => {
    site = await ReplicatedSite.make({ isProcess: true, keys: { ...exampleKeys, replicas: { fanOut: 1 } } });
    paths = await fillWithExamples(site);
    await site.primary.start();
    await site.published();
    await site.startChain(2);
    second = site.replicas[1] as SiteNode;
  });

  after(() => site.close());

  it('status, end-to-end fields and bytes are the same for every document and every sort of request', async () => {
    for (const path of paths) {
      const answer = await site.get(site.primary, path);
      etags.set(path, answer.get('etag') ?? '"none"');
    }
    await everyAnswer(site.primary, (request, told) => answers.set(request, told));
    assert.ok(answers.size > 10 * paths.length, `${answers.size} answers for ${paths.length} paths`);
    const statuses = new Set([...answers.values()].map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [200, 204, 206, 301, 302, 304, 404, 405, 412, 416]);
    assert.equal(await compared(second), answers.size);
    assert.equal(await compared(site.replicas[0] as SiteNode), answers.size);
  });

  it('names that begin with a dot, and what is missing, are no documents anywhere', async () => {
    for (const node of site.nodes) {
      assert.match(await site.text(node, '.secret'), /^404$/);
      assert.equal((await site.get(node, '.secret')).body.includes('never'), false);
    }
  });

  it('an unsafe method reaches the primary as it was sent, and its answer is passed on', async () => {
    const before = site.primary.front.count('POST /manual/');
    const answer = await second.ask(site.visit('manual/', { method: 'POST', body: 'a=1' }));
    assert.equal(answer.status, 405);
    assert.equal(answer.get('allow'), 'GET, HEAD, OPTIONS');
    assert.equal(site.primary.front.count('POST /manual/'), before + 1);
  });

  it('nothing of that changes when the primary is killed', async () => {
    await site.primary.kill();
    assert.equal(await compared(second), answers.size - unsafe());
    const { status } = await second.ask(site.visit('manual/', { method: 'POST', body: 'a=1' }));
    assert.equal(status, 502);
  });

  it('nor when the replica is started again while the primary is dead', async () => {
    await second.stop();
    await second.start();
    assert.equal(await compared(second), answers.size - unsafe());
  });

  const unsafe = (): number => [...answers.keys()].filter((request) => request.startsWith('DELETE')).length;

  /** Asks one node for everything, one request after the other on one connection of each side. */
  async function everyAnswer(node: SiteNode, take: (request: string, told: Told) => void): Promise<void> {
    const clients = { site: await node.connect('site'), proxy: await node.connect('proxy') };
    for (const path of paths) {
      for (const request of requestsFor(site, path, etags.get(path) ?? '"none"')) {
        if (request.method === 'DELETE' && !site.primary.isRunning) continue;
        const side = request.side === 'proxy' && node === site.primary ? 'site' : request.side;
        const client = clients[side as 'site' | 'proxy'];
        take(keyOf(request), toldBy(await send(client, request)));
      }
    }
  }

  /** @returns how many answers were the same */
  async function compared(node: SiteNode): Promise<number> {
    let count = 0;
    await everyAnswer(node, (request, told) => {
      assert.deepEqual(told, answers.get(request), request);
      count++;
    });
    return count;
  }
});

/** What has to be the same everywhere. */
interface Told {
  readonly status: number;
  readonly fields: readonly string[];
  /** Its length and digest. */
  readonly body: string;
}

/** Of the node, of the message or of the connection (RFC 9110 §7.6.1). */
const notEndToEnd = new Set([
  ...['date', 'age', 'cache-status', 'wlis-namespace', 'wlis-group', 'wlis-load', 'via'],
  // goes with the links to other copies, which each node makes of the others
  'digest',
  ...['connection', 'keep-alive', 'transfer-encoding'],
]);

function toldBy(answer: RawResponse): Told {
  const { status, fields, body } = answer;
  const boundary = /boundary=([\w-]+)/.exec(answer.get('content-type') ?? '')?.[1];
  const isProblem = answer.get('content-type') === 'application/problem+json';
  const unbound = (text: string): string => (boundary === undefined ? text : text.replaceAll(boundary, 'boundary'));
  // a problem names the exchange in which it came up
  const content = isProblem ? body.toString().replace(/"requestId":.*$/m, '') : unbound(body.toString('latin1'));
  const left = (name: string): boolean => notEndToEnd.has(name) || (isProblem && name === 'content-length');
  const lines = fields
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => !left(name) && !(name === 'link' && isOwnLink(value)));
  return {
    status,
    fields: lines.map(([name, value]) => unbound(`${name}: ${value}`)),
    body: `${content.length} ${digestOfText(content)}`,
  };
}

const keyOf = ({ method, target, fields, side }: VisitorRequest): string =>
  `${method} ${target} ${JSON.stringify(fields ?? {})} ${side}`;

/** Every sort of request for one path. @param etag of the plain answer */
function requestsFor(site: ReplicatedSite, path: string, etag: string): readonly VisitorRequest[] {
  const withFields = (fields: Readonly<Record<string, string>>): VisitorRequest => site.visit(path, { fields });
  const absolute = `${site.namespace}${path}`;
  return [
    site.visit(path),
    site.visit(path, { method: 'HEAD' }),
    site.visit(path, { method: 'OPTIONS' }),
    site.visit(path, { method: 'DELETE' }),
    site.visit(`${path}?a=query`),
    withFields({ Range: 'bytes=0-99' }),
    withFields({ Range: 'bytes=-50' }),
    withFields({ Range: 'bytes=0-9,20-29' }),
    withFields({ Range: 'bytes=99999999-' }),
    withFields({ 'If-None-Match': etag }),
    withFields({ 'If-None-Match': '"other"', 'Accept-Encoding': 'br' }),
    withFields({ 'If-Match': '"other"' }),
    withFields({ 'If-Modified-Since': 'Fri, 20 Nov 2037 00:00:00 GMT' }),
    withFields({ 'Accept-Encoding': 'gzip' }),
    withFields({ 'Accept-Encoding': 'br, gzip;q=0.5' }),
    withFields({ 'Accept-Encoding': 'identity;q=0, gzip;q=0.1', Range: 'bytes=1-2' }),
    withFields({ Cookie: 'a=b', Authorization: 'Basic YTpi' }),
    site.visit(path, { target: absolute }),
    site.visit(path, { target: absolute, side: 'proxy' }),
  ];
}
