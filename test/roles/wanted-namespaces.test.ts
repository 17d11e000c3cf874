import assert from 'node:assert/strict';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.js';
import { FileContents } from '../../proxy/roles/file-contents.js';
import { wantedNamespaces, type WantedNamespaces } from '../../proxy/roles/replication/wanted-namespaces.js';
import { TempDir } from '../support/temp-dir.js';

describe('the namespaces that a configuration wants', () => {
  let dir: TempDir;

  beforeEach(async () => {
    dir = await TempDir.create();
  });
  afterEach(() => dir.remove());

  const wanted = (config: object): WantedNamespaces => {
    const loaded = loadConfig(JSON.stringify(config), join(dir.path, 'a.yaml'), {});
    return wantedNamespaces(loaded, new FileContents(loaded));
  };

  const problemsOf = (config: object): string[] =>
    wanted(config).problems.map(({ key, expected, got }) => `${key}: ${expected}: ${got}`);

  const published = (keys: object): object => ({
    primary: { namespaces: [{ url: 'https://a.example/', directory: 'site', ...keys }] },
  });
  const replicated = (keys: object): object => ({
    replicated: { namespaces: [{ url: 'https://a.example/', from: 'https://p.example', ...keys }] },
  });

  it('have one spelling, whatever the configuration has', () => {
    const { all, problems } = wanted(published({ url: 'HTTPS://A.Example:443/%7Eb/' }));
    assert.deepEqual(problems, []);
    assert.deepEqual(
      all.map(({ kind, namespace }) => [kind, namespace]),
      [['primary', 'https://a.example/~b/']],
    );
  });

  it('do not have fields that a record cannot have, which would be left out of answers without a word', () => {
    const set = {
      'Content-Type': 'text/x',
      'Set-Cookie': 'a=b',
      ETag: '"x"',
      'X-Fine': 'x',
      'WLIS-Head': 'x',
      Age: '5',
    };
    const what =
      'fields that a document can have on all nodes, which those of the message, the node or a connection are not';
    assert.deepEqual(
      problemsOf(
        published({
          headers: [
            { match: '**', set: { 'X-Fine': 'x' } },
            { match: '**', set },
          ],
        }),
      ),
      ['Content-Type', 'Set-Cookie', 'ETag', 'WLIS-Head', 'Age'].map(
        (name) => `primary.namespaces[0].headers[1].set: ${what}: ${name}`,
      ),
    );
  });

  it('are not pulled at times that never come', () => {
    const update = (cron: string): string[] => problemsOf(replicated({ update: { cron } }));
    for (const cron of ['61 * * * *', '0 24 * * *', '0 3 32 * *', '0 3 * 13 *', '0 3 * * 8', '0 x * * *']) {
      const [problem, ...more] = update(cron);
      assert.match(problem ?? '', /^replicated\.namespaces\[0\]\.update\.cron: five fields as in a crontab: \w+/, cron);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(update('*/15 0-5 * jan,feb mon'), []);
  });

  it('come over TLS where that is how visitors get them', () => {
    assert.deepEqual(problemsOf(replicated({ from: 'http://p.example' })), [
      'replicated.namespaces[0].from: an https URL, since the namespace is one of https: http://p.example',
    ]);
    assert.deepEqual(problemsOf(replicated({ url: 'http://a.example/', from: 'http://p.example' })), []);
  });

  it('have tokens that other nodes take', async () => {
    await dir.write('long', 'x'.repeat(513));
    await dir.write('longest', 'x'.repeat(512));
    const expected = 'a token of at most 512 characters: one of 513';
    assert.deepEqual(problemsOf(published({ replicas: { tokenFile: 'long' } })), [
      `primary.namespaces[0].replicas.tokenFile: ${expected}`,
    ]);
    assert.deepEqual(problemsOf(replicated({ tokenFile: 'long' })), [
      `replicated.namespaces[0].tokenFile: ${expected}`,
    ]);
    assert.deepEqual(problemsOf(replicated({ tokenFile: 'longest' })), []);
  });

  it('are told with all their problems at once', () => {
    const config = {
      ...published({ url: 'https://b.example/', headers: [{ match: '**', set: { Date: 'x' } }] }),
      ...replicated({ from: 'http://p.example', update: { cron: '61 * * * *' } }),
    };
    assert.deepEqual(
      wanted(config).problems.map(({ key }) => key),
      ['primary.namespaces[0].headers[0].set', 'replicated.namespaces[0].update.cron', 'replicated.namespaces[0].from'],
    );
  });

  it('have the root key of their own origin', () => {
    const key = 'mDCkGgCYyUB1Jiq0IGLR4ZgYhY3LVV8NyvNAPKz3Pq8';
    const rootFor = (origin: string): string | null => {
      const { all } = wanted({ ...replicated({}), wlis: { trust: { roots: [{ origin, key }] } } });
      const [one] = all;
      return one?.kind === 'replica' ? one.root : null;
    };
    assert.equal(rootFor('https://a.example'), key);
    assert.equal(rootFor('https://A.example:443'), key);
    assert.equal(rootFor('http://a.example'), null);
    assert.equal(rootFor('https://a.example:444'), null);
    assert.equal(rootFor('https://a.exampl'), null);
  });
});
