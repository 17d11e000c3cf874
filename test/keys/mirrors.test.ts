import assert from 'node:assert/strict';
import { answer, answerBrokenOff } from '../support/origin-scripts.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { cacheStatusOf, startWillis, type Sections, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

const fields = { 'Last-Modified': 'Wed, 01 Jan 2025 00:00:00 GMT' };
const document = (content: string): OriginHandler => answer(200, fields, content);

describe('the keys of mirrors', () => {
  const opened: ScriptedOrigin[] = [];
  let willis: Willis;
  let directory: TempDir;

  beforeEach(async () => {
    directory = await TempDir.create();
    willis = await startWillis();
    willis.serve(document('original'));
    await willis.reload({ cache: { rules: [{ match: willis.origin.url('/'), store: false }] } });
  });
  afterEach(async () => {
    await willis.stop();
    for (const one of opened.splice(0)) await one.close();
    await directory.remove();
  });

  const mirror = async (handler: OriginHandler): Promise<ScriptedOrigin> => {
    const one = await startOrigin(handler, { clock: willis.clock });
    opened.push(one);
    return one;
  };

  /** Mirrors of all that the origin server has, the named one to be asked. */
  const reload = (entry: Sections, from?: ScriptedOrigin): Promise<unknown> =>
    willis.reload({
      clientSide: {
        mirrors: [{ of: willis.origin.url('/'), ...entry }],
        rules: from === undefined ? [] : [{ match: willis.origin.url('/'), from: `http://${from.authority}` }],
      },
    });

  /** Through the forward proxy: what came, and who gave it, as Cache-Status says. */
  const got = async (path = '/a'): Promise<{ readonly content: string; readonly by: string }> => {
    const client = await willis.connect(willis.proxyPort);
    client.request('GET', willis.origin.url(path), { Host: willis.origin.authority });
    const response = await client.receive();
    client.close();
    const { detail } = cacheStatusOf(response);
    return { content: response.body.toString(), by: typeof detail === 'string' ? detail : '' };
  };

  flips('clientSide.mirrors', 'whether others than the origin server have it', async () => {
    const one = await mirror(document('original'));
    assert.equal((await got()).content, 'original');
    assert.equal(one.count(), 0);
    await reload({ at: [one.url('/')] }, one);
    assert.match((await got()).by, new RegExp(`mirror http://${one.authority}`));
    assert.equal(one.count(), 1);
    await willis.reload({ clientSide: { mirrors: [], rules: [] } });
    await got();
    assert.equal(one.count(), 1);
  });

  flips('clientSide.mirrors[].of', 'what is mirrored', async () => {
    const one = await mirror(document('original'));
    await reload({ of: willis.origin.url('/docs/'), at: [one.url('/pub/')] }, one);
    await got('/a');
    assert.equal(one.count(), 0);
    await got('/docs/a');
    assert.equal(one.count('/pub/a'), 1);
    await reload({ at: [one.url('/pub/')] }, one);
    await got('/a');
    assert.equal(one.count('/pub/a'), 2);
  });

  flips('clientSide.mirrors[].at', 'where it is mirrored', async () => {
    const [one, two] = [await mirror(document('original')), await mirror(document('original'))];
    await reload({ at: [one.url('/')] }, one);
    await got();
    assert.deepEqual([one.count('/a'), two.count()], [1, 0]);
    await reload({ at: [two.url('/elsewhere/')] }, two);
    await got();
    assert.deepEqual([one.count(), two.count('/elsewhere/a')], [1, 1]);
  });

  flips('clientSide.mirrors[].list', 'the file that names more of them', async () => {
    const one = await mirror(document('original'));
    await reload({}, one);
    await got();
    assert.equal(one.count(), 0);
    await reload({ list: await directory.write('mirrors.txt', `# mirrors\n${one.url('/x/')}\n`) }, one);
    await got();
    assert.equal(one.count('/x/a'), 1);
    const wrong = await directory.write('wrong.txt', 'http://a.example/\nnonsense\n');
    await assert.rejects(reload({ list: wrong }), (error: Error) => {
      assert.match(error.message, /clientSide\.mirrors\[0\]\.list/);
      assert.match(error.message, /nonsense.*wrong\.txt:2/);
      return true;
    });
  });

  flips('clientSide.mirrors[].trust', 'whether a mirror answers for what is not known to be equal', async () => {
    const one = await mirror(document('of the mirror'));
    await reload({ at: [one.url('/')] }, one);
    assert.equal((await got()).content, 'original');
    await reload({ at: [one.url('/')], trust: 'full' }, one);
    assert.equal((await got()).content, 'of the mirror');
  });

  it('a content that breaks off at a mirror comes whole to the client', async () => {
    const content = 'abcdefghij'.repeat(10_000);
    willis.serve((request, response, index) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const range = from === 0 ? {} : { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` };
      const rest = content.slice(from);
      const sent = { ...fields, ...range, 'Content-Length': String(rest.length) };
      return answer(from === 0 ? 200 : 206, sent, request.method === 'HEAD' ? '' : rest)(request, response, index);
    });
    const length = { 'Content-Length': String(content.length) };
    const one = await mirror(answerBrokenOff(200, { ...fields, ...length }, content.slice(0, 30_000)));
    await reload({ at: [one.url('/')] }, one);
    assert.equal((await got()).content, content);
  });
});
