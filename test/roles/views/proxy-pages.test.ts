import assert from 'node:assert/strict';
import { CHOICE_PAGE, choicePageOf } from '../../../wlis/names/proxy-host.js';
import { after, answer } from '../../support/origin-scripts.js';
import { gate } from '../../support/gate.js';
import { RawClient, type RawResponse } from '../../support/raw-client.js';
import { startOrigin, type ScriptedOrigin } from '../../support/scripted-origin.js';
import { send } from '../../support/site-node.js';
import { outcomeOf, startWillis, turns, type Willis } from '../../support/willis.js';

const fresh = {
  'Cache-Control': 'max-age=600',
  'Last-Modified': 'Wed, 01 Jan 2025 00:00:00 GMT',
  'Content-Type': 'text/plain',
};

describe('the pages of a client-side proxy at proxy.wlis', () => {
  let willis: Willis;
  let mirrors: readonly ScriptedOrigin[];

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, fresh, 'content'));
    const { clock } = willis;
    mirrors = [
      await startOrigin(answer(200, fresh, 'content'), { clock }),
      await startOrigin(answer(200, fresh, 'content'), { clock }),
    ];
    const at = mirrors.map((mirror) => mirror.url('/'));
    await willis.reload({ clientSide: { mirrors: [{ of: willis.origin.url('/'), at }] } });
  });
  afterEach(async () => {
    await willis.stop();
    for (const mirror of mirrors) await mirror.close();
  });

  const ask = async (
    method: string,
    target: string,
    {
      fields = {},
      body = '',
      from = '127.0.0.1',
    }: { fields?: Readonly<Record<string, string>>; body?: string; from?: string } = {},
  ): Promise<RawResponse> => {
    const client = await RawClient.connect(willis.proxyPort, { from });
    try {
      return await send(client, { method, target, host: new URL(target).host, fields, body });
    } finally {
      client.close();
    }
  };

  const page = () => willis.origin.url('/a');

  async function choose(server: string, from = '127.0.0.1'): Promise<RawResponse> {
    const told = await ask('GET', choicePageOf(page()), { from });
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(told.body.toString()) ?? [];
    const body = new URLSearchParams({ token, server, of: page() }).toString();
    const fields = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return ask('POST', CHOICE_PAGE, { fields, body, from });
  }

  const urlOf = (one: number): string => `http://${(mirrors[one] as ScriptedOrigin).authority}`;

  const askedOf = (): readonly number[] => mirrors.map(({ requests }) => requests.length);

  it('tell what the proxy is and how it is used', async () => {
    const answered = await ask('GET', 'http://proxy.wlis/');
    assert.equal(answered.status, 200);
    assert.match(answered.body.toString(), /Willis on willis/);
  });

  it('can be shown in no frame, run nothing, and are kept by nobody', async () => {
    for (const target of [CHOICE_PAGE, choicePageOf(page())]) {
      const answered = await ask('GET', target);
      assert.equal(answered.status, 200);
      assert.match(answered.get('content-security-policy') ?? '', /default-src 'none';.*frame-ancestors 'none'/);
      assert.deepEqual([answered.get('cache-control'), answered.get('x-frame-options')], ['no-store', 'DENY']);
    }
  });

  it('are read by GET and HEAD, at port 80, without TLS, and by their own names alone', async () => {
    assert.equal((await ask('HEAD', choicePageOf(page()))).body.length, 0);
    for (const [method, target, status] of [
      ['PUT', CHOICE_PAGE, 405],
      ['POST', 'http://proxy.wlis/', 405],
      ['GET', 'http://proxy.wlis/other', 404],
      ['GET', 'http://proxy.wlis:8080/', 404],
      ['GET', 'http://proxy.wlis./', 200],
      ['GET', `${CHOICE_PAGE}?of=`, 200],
      ['GET', `${CHOICE_PAGE}?of=about:blank`, 400],
      ['GET', `${CHOICE_PAGE}?of=http://unknown.wlis/`, 502],
      ['POST', CHOICE_PAGE, 415],
    ] as const) {
      assert.equal((await ask(method, target)).status, status, `${method} ${target}`);
    }
  });

  it("are the proxy's though somebody else is given the name", async () => {
    await assert.rejects(
      willis.reload({ wlis: { names: { proxy: 'http://evil.example/' } } }),
      /wlis.names.proxy: expected another name/,
    );
    const names = { other: 'http://proxy.wlis/', 'x.proxy': willis.origin.url('/') };
    await willis.reload({ wlis: { names } });
    assert.equal((await ask('GET', 'http://other.wlis/')).status, 502);
    assert.equal((await ask('GET', 'http://x.proxy.wlis/a')).body.toString(), 'content');
    assert.match((await ask('GET', 'http://proxy.wlis/')).body.toString(), /Willis on willis/);
  });

  it('tell of a page that has but one server that it has', async () => {
    await willis.reload({ clientSide: { mirrors: [] } });
    const told = (await ask('GET', choicePageOf(page()))).body.toString();
    assert.match(told, /No other server is known/);
    await ask('GET', page());
    assert.match((await ask('GET', choicePageOf(page()))).body.toString(), /Received .* fresh until/);
    assert.equal((await choose('primary')).status, 400);
  });

  it('let readers choose between configured mirrors too, and each is obeyed', async () => {
    for (const one of [1, 0]) {
      const before = askedOf();
      assert.equal((await choose(urlOf(one))).status, 303);
      const answered = await ask('GET', page());
      assert.deepEqual([answered.status, answered.body.toString(), answered.get('vary')], [200, 'content', undefined]);
      assert.deepEqual(
        askedOf(),
        before.map((count, i) => count + (i === one ? 1 : 0)),
      );
    }
    const before = askedOf();
    await choose('primary');
    assert.equal((await ask('GET', page())).body.toString(), 'content');
    assert.deepEqual(askedOf(), before);
  });

  it('of what one reader has chosen another one sees nothing, neither by what is stored nor while it is fetched', async () => {
    await choose(urlOf(0));
    await choose(urlOf(1), '127.0.0.2');
    const held = gate();
    (mirrors[0] as ScriptedOrigin).handle(after(held, answer(500)));
    const failing = ask('GET', page());
    await (mirrors[0] as ScriptedOrigin).received(1);
    const other = ask('GET', page(), { from: '127.0.0.2' });
    await turns(300);
    held.open();
    assert.equal((await failing).status, 502);
    assert.deepEqual([(await other).status, (await other).body.toString()], [200, 'content']);
    assert.equal(outcomeOf(await ask('GET', page(), { from: '127.0.0.2' })), 'hit');
    assert.equal((await ask('GET', page())).status, 502);
  });

  it('what changes a page makes untrue what readers have who have chosen, and those who have not', async () => {
    await choose(urlOf(0));
    for (const from of ['127.0.0.1', '127.0.0.2']) {
      await ask('GET', page(), { from });
      assert.equal(outcomeOf(await ask('GET', page(), { from })), 'hit');
    }
    await ask('POST', page(), { from: '127.0.0.3', body: 'x' });
    for (const from of ['127.0.0.1', '127.0.0.2']) {
      assert.notEqual(outcomeOf(await ask('GET', page(), { from })), 'hit', from);
    }
  });

  it('what is purged is purged for readers who have chosen too', async () => {
    await choose(urlOf(0));
    await ask('GET', page());
    assert.equal(outcomeOf(await ask('GET', page())), 'hit');
    const rules = [{ action: 'allow', methods: ['PURGE', 'GET'] }];
    await willis.reload({ access: { rules } });
    assert.equal((await ask('PURGE', page())).status, 200);
    assert.notEqual(outcomeOf(await ask('GET', page())), 'hit');
  });

  it('a field by which a client would choose for itself is nothing', async () => {
    await choose(urlOf(0));
    const before = askedOf();
    await ask('GET', page(), { fields: { 'WLIS-From': urlOf(1) } });
    assert.deepEqual(askedOf(), [(before[0] ?? 0) + 1, before[1]]);
    assert.equal(mirrors[0]?.last.headers['wlis-from'], undefined);
  });

  it('the rule of the operator is before what readers choose', async () => {
    await choose(urlOf(0));
    await willis.reload({ clientSide: { rules: [{ match: willis.origin.url('/'), from: urlOf(1) }] } });
    await ask('GET', page());
    assert.equal(askedOf()[0], 0);
    const told = (await ask('GET', choicePageOf(page()))).body.toString();
    assert.match(told, /Whoever runs this proxy has chosen for all its readers/);
    assert.doesNotMatch(told, /<button/);
  });
});
