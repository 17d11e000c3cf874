import assert from 'node:assert/strict';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { choicePageOf } from '../../wlis/names/proxy-host.js';
import { Constellation } from '../support/constellation.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { send, type SiteNode, type VisitorRequest } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';

const page = (name: string): string =>
  `<!doctype html><html><head><meta charset="utf-8"><title>${name}</title></head><body><h1>${name}</h1></body></html>`;

const files = { 'a.html': page('A'), 'b.html': page('B'), 'c.txt': 'C' };

/** As a browser goes to a page. */
const navigation = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', Accept: 'text/html' };

describe('the choice of a reader of a client-side proxy', () => {
  let all: Constellation;

  beforeEach(async () => {
    all = await Constellation.start({ files, client: { clientSide: { patience: '1s', html: { bar: true } } } });
    await all.learned('c.txt');
  });
  afterEach(() => all.close());

  const open = (path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> =>
    all.get(path, { ...navigation, ...fields });

  const [first, second] = [() => all.replicas[0] as SiteNode, () => all.replicas[1] as SiteNode];

  const choose = (server: string): Promise<RawResponse> => chooseBy({ server });

  /** Sends the form of a bar as a browser does. */
  async function chooseBy(fields: Readonly<Record<string, string>>): Promise<RawResponse> {
    const { body } = await open('a.html');
    const hidden = Object.fromEntries(
      [...body.toString().matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(
        ([, name = '', value = '']): [string, string] => [name, value],
      ),
    );
    return post({ ...hidden, ...fields }, { Origin: all.site.namespace.slice(0, -1) });
  }

  function post(
    form: Readonly<Record<string, string>>,
    fields: Readonly<Record<string, string>> = {},
    from = '127.0.0.1',
  ): Promise<RawResponse> {
    return askFrom(from, {
      ...{ method: 'POST', target: 'http://proxy.wlis/choice', host: 'proxy.wlis' },
      fields: { 'Content-Type': 'application/x-www-form-urlencoded', ...fields },
      body: new URLSearchParams(form).toString(),
    });
  }

  /** Who is asked for documents by those requests. */
  async function askedBy(requests: () => Promise<unknown>): Promise<SiteNode[]> {
    const before = all.site.nodes.map((node) => all.rawRequests([node]));
    await requests();
    return all.site.nodes.filter((node, i) => all.rawRequests([node]) > (before[i] ?? 0));
  }

  const askAll = async (): Promise<void> => {
    for (const path of ['a.html', 'b.html', 'c.txt', 'a.html']) assert.equal((await all.get(path)).status, 200, path);
  };

  it('is obeyed from the next request on, for every document of the namespace, and no other', async () => {
    for (const node of [second(), first()]) {
      const answer = await choose(node.front.url);
      assert.deepEqual([answer.status, answer.get('location')], [303, `${all.site.namespace}a.html`]);
      assert.deepEqual(await askedBy(askAll), [node]);
      assert.match(
        (await open('b.html')).body.toString(),
        new RegExp(`${node.front.authority}</b> \\(replica, your choice\\)`),
      );
    }
    await choose('primary');
    assert.deepEqual(await askedBy(askAll), [all.primary]);
    const metrics = await all.client.ask({ method: 'GET', target: '/metrics', host: 'localhost', side: 'admin' });
    assert.match(metrics.body.toString(), /^willis_reader_choices 1$/m);
  });

  it('stays over a restart of the proxy, and ends when the reader says so', async () => {
    await choose(second().front.url);
    await all.client.stop();
    await all.client.start();
    await all.learned('c.txt');
    assert.deepEqual(await askedBy(askAll), [second()]);
    await choose('');
    await (all.client.running as Willis).reload({ clientSide: { choice: 'random', html: { bar: true } } });
    const asked = await askedBy(async () => {
      for (let i = 0; i < 12; i++) await askAll();
    });
    assert.ok(asked.length > 1, 'the node chooses among all again');
  });

  it('fails where that server fails, and says who else has it; nobody else is asked', async () => {
    await choose(second().front.url);
    await second().stop();
    const asked = await askedBy(async () => {
      const answer = await all.get('b.html', { Accept: 'application/json' });
      assert.equal(answer.status, 502);
      const problem = JSON.parse(answer.body.toString()) as { code: string; detail: string };
      assert.equal(problem.code, 'chosen-failed');
      assert.match(problem.detail, new RegExp(`${second().front.url} was chosen`));
      const page = (await open('b.html')).body.toString();
      for (const node of [first(), all.primary]) assert.ok(page.includes(node.front.authority), node.options.name);
      assert.ok(page.includes('http://proxy.wlis/choice?of='), 'where another one is chosen');
    });
    assert.deepEqual(asked, []);
    await second().start();
    await until(async () => (await all.get('b.html')).status === 200);
  });

  it('ends when that server leaves the group, and the page of the proxy says so', async () => {
    await choose(second().front.url);
    const { namespace, directory } = all.site;
    const listed = [(await new KeyDirectory(first().data.path).nodeKey()).id];
    await (all.primary.running as Willis).reload({
      primary: { namespaces: [{ url: namespace, directory, replicas: { accept: 'listed', listed } }] },
    });
    await until(async () => {
      // others are asked by other readers, and tell of the newer group
      await getFrom('127.0.0.2', 'c.txt');
      return /You had chosen/.test(await told('a.html'));
    });
    assert.match(await told('a.html'), new RegExp(`You had chosen <b>${second().front.url}</b>`));
    assert.doesNotMatch(await told('a.html'), new RegExp(`value="${second().front.url}"`));
    assert.ok(!(await askedBy(askAll)).includes(second()), 'it is not asked any more');
    assert.match((await open('a.html')).body.toString(), /whom you had chosen no longer has this site/);
    assert.equal((await choose(second().front.url)).status, 400);
  });

  it('is obeyed by a proxy that holds a copy itself, which is then for others', async () => {
    const { namespace, host } = all.site;
    const ask = (method: string, target: string, form = ''): Promise<RawResponse> =>
      first().ask({
        ...{ method, target, side: 'proxy', host: target.startsWith(namespace) ? host : 'proxy.wlis', body: form },
        fields: { 'Content-Type': 'application/x-www-form-urlencoded' },
      });
    const get = async (): Promise<void> => assert.equal((await ask('GET', `${namespace}a.html`)).status, 200);
    const chooses = async (server: string): Promise<void> => {
      const told = (await ask('GET', choicePageOf(`${namespace}a.html`))).body.toString();
      const [, token = ''] = /name="token" value="([^"]+)"/.exec(told) ?? [];
      const form = new URLSearchParams({ token, server, of: `${namespace}a.html` }).toString();
      assert.equal((await ask('POST', 'http://proxy.wlis/choice', form)).status, 303);
    };
    assert.deepEqual(await askedBy(get), []);
    await chooses(second().front.url);
    assert.deepEqual(await askedBy(get), [second()]);
    await chooses(first().front.url);
    assert.deepEqual(await askedBy(get), [], 'it has it itself');
  });

  it('is taken from forms of its own alone', async () => {
    const page = await open('a.html');
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(page.body.toString()) ?? [];
    const of = `${all.site.namespace}a.html`;
    const server = second().front.url;
    const own = { Origin: all.site.namespace.slice(0, -1) };
    const statusOf = async (form: Readonly<Record<string, string>>, fields = {}): Promise<number> =>
      (await post(form, fields)).status;
    assert.equal(await statusOf({ of, server }, own), 403, 'without a token');
    assert.equal(await statusOf({ of, server, token: 'x'.repeat(22) }, own), 403, 'with a false one');
    assert.equal(await statusOf({ of, server, token }, { Origin: 'http://evil.example' }), 403, 'of another site');
    for (const fields of [{}, { Origin: 'null' }]) {
      const answer = await post({ of, server, token }, fields);
      assert.deepEqual([answer.status, answer.get('location')], [303, choicePageOf(of)], 'of nobody knows whom');
    }
    assert.equal(await statusOf({ of, server: 'http://evil.example', token }, own), 400);
    assert.equal(await statusOf({ of: 'http://other.example/', server, token }, own), 400);
    assert.equal(await statusOf({ of: 'javascript:alert(1)', server, token }, own), 400);
    assert.equal(await statusOf({ of, server, token, x: 'x'.repeat(20_000) }, own), 413);
    assert.equal(await statusOf({ of, server, token }, { ...own, 'Content-Type': 'text/plain' }), 415);
    assert.doesNotMatch(await told('a.html'), /You have chosen/);
  });

  it('leads back into the site, and nowhere else', async () => {
    for (const back of ['http://evil.example/', '//evil.example/', 'javascript:alert(1)', all.site.host]) {
      const answer = await chooseBy({ server: 'primary', back });
      assert.deepEqual([answer.status, answer.get('location')], [303, choicePageOf(`${all.site.namespace}a.html`)]);
    }
    const answer = await chooseBy({ server: 'primary', back: `${all.site.namespace}b.html?x#y` });
    assert.equal(answer.get('location'), `${all.site.namespace}b.html?x`);
  });

  it('is made on the page of the proxy too, which no other reader can send for one', async () => {
    const token = async (from?: string): Promise<string> =>
      /name="token" value="([^"]+)"/.exec(await told('a.html', from))?.[1] ?? '';
    const of = `${all.site.namespace}a.html`;
    const server = second().front.url;
    assert.equal((await post({ of, server, token: await token('127.0.0.2') })).status, 403);
    assert.equal((await post({ of, server, token: await token() })).status, 303);
    assert.match(await told('a.html'), /You have chosen/);
    assert.doesNotMatch(await told('a.html', '127.0.0.2'), /You have chosen/);
  });

  it("is each reader's own, also where answers are stored", async () => {
    await (all.client.running as Willis).reload({ cache: { memory: '16MiB' } });
    await choose(second().front.url);
    const by = async (from: string): Promise<SiteNode | undefined> => {
      const answer = await getFrom(from, 'b.html');
      assert.equal(answer.status, 200);
      assert.doesNotMatch(answer.get('vary') ?? '', /wlis-from/i);
      const { body } = await getFrom(from, 'b.html', navigation);
      return all.site.nodes.find(({ front }) => body.toString().includes(`From <b>${front.authority}</b>`));
    };
    const asked = await askedBy(async () => {
      for (let i = 0; i < 3; i++) assert.equal(await by('127.0.0.1'), second());
    });
    assert.deepEqual(asked, [second()], 'what is stored for others is not for this one');
    const token = /name="token" value="([^"]+)"/.exec(await told('a.html', '127.0.0.2'))?.[1] ?? '';
    await post({ of: `${all.site.namespace}a.html`, server: first().front.url, token }, {}, '127.0.0.2');
    for (let i = 0; i < 3; i++) {
      assert.deepEqual([await by('127.0.0.1'), await by('127.0.0.2')], [second(), first()]);
    }
    const before = all.rawRequests();
    assert.deepEqual([await by('127.0.0.1'), await by('127.0.0.2')], [second(), first()]);
    assert.equal(all.rawRequests(), before, 'both are answered by what is stored');
  });

  it('is not there for who may not have the page, nor for the page of the proxy', async () => {
    const rules = [
      { action: 'deny', hosts: ['127.0.0.1'], paths: ['/a.html'] },
      { action: 'deny', clients: ['127.0.0.3'], hosts: ['proxy.wlis'] },
      { action: 'allow' },
    ];
    await (all.client.running as Willis).reload({ access: { destinations: { allow: ['127.0.0.1'] }, rules } });
    assert.match(await told('a.html'), /access-denied/);
    assert.match(await told('b.html'), /All pages below/);
    assert.match(await told('b.html', '127.0.0.3'), /access-denied/);
  });

  /** What the page of the proxy says of a page. */
  async function told(path: string, from = '127.0.0.1'): Promise<string> {
    const target = choicePageOf(all.site.namespace + path);
    return (await askFrom(from, { method: 'GET', target, host: 'proxy.wlis' })).body.toString();
  }

  const getFrom = (from: string, path: string, fields = {}): Promise<RawResponse> =>
    askFrom(from, { method: 'GET', target: all.site.namespace + path, host: all.site.host, fields });

  /** A request of the reader at that address. */
  async function askFrom(from: string, request: Omit<VisitorRequest, 'side'>): Promise<RawResponse> {
    const client = await RawClient.connect(all.client.running.port('proxy'), { from });
    try {
      return await send(client, request);
    } finally {
      client.close();
    }
  }
});
