import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { outcomeOf } from '../support/willis.js';
import { evaluatePac } from '../wlis/pac/pac-evaluator.js';
import { startExample, type ExampleNode } from './example-node.js';

describe('the example names-and-pac', () => {
  let origin: ScriptedOrigin;
  let node: ExampleNode;

  beforeEach(async () => {
    origin = await startOrigin(answer(200, { 'Cache-Control': 'max-age=60' }, 'read'));
    node = await startExample('names-and-pac.yaml', (sections) => {
      sections.access = { ...sections.access, destinations: { allow: ['127.0.0.1'] } };
      const { names = {} } = sections.wlis ?? {};
      for (const [name, uri] of Object.entries(names)) names[name] = uri.replace(/^http:\/\/[^/]+\//, origin.url('/'));
    });
  });
  afterEach(async () => {
    await node.stop();
    await origin.close();
  });

  it('brings what names stand for, and brings it from memory the second time', async () => {
    for (const [url, path] of [
      ['http://manual.wlis/start', '/manual/start'],
      ['http://alice.notes.wlis/today', '/home/alice/today'],
    ] as const) {
      for (const outcome of ['uri-miss', 'hit']) assert.equal(outcomeOf(await node.ask('proxy', 'GET', url)), outcome);
      assert.equal(
        origin.requests.some(({ url: asked }) => asked === path),
        true,
        path,
      );
    }
  });

  it('says of a name that nobody has given which names there are', async () => {
    const response = await node.ask('proxy', 'GET', 'http://manuel.wlis/');
    assert.equal(response.status, 502);
    assert.match(response.body.toString(), /manual\.wlis, \*\.notes\.wlis/);
  });

  it('configures browsers: by it, by the second proxy, and at last without one; the office without one at once', async () => {
    const page = await node.ask('proxy', 'GET', '/proxy.pac', { Host: 'proxy.office.example:3128' });
    const find = await evaluatePac(page.body.toString());
    const proxies = 'PROXY proxy.office.example:3128; PROXY proxy2.office.example:3128';
    assert.equal(await find('http://www.example.org/'), `${proxies}; DIRECT`);
    assert.equal(await find('http://manual.wlis/'), proxies);
    assert.equal(await find('http://wiki.office.example/'), 'DIRECT');
    assert.equal(await find('http://10.1.2.3/'), 'DIRECT');
  });
});
