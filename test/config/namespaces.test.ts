import assert from 'node:assert/strict';
import { ConfigError } from '../../config/config-error.js';
import { loadConfig } from '../../config/load.js';

/** The problems of a text, as `line:column path: expected …, got …. Hint.` */
function problems(text: string): string[] {
  try {
    loadConfig(text, '/etc/willis/proxy.config.yaml', {}, { hostName: 'cache-1' });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n').map((line) => line.replace('/etc/willis/proxy.config.yaml:', ''));
  }
  return [];
}

const published = (url: string): string => `{url: '${url}', directory: ./site}`;
const replicated = (url: string, more = ''): string => `{url: '${url}', from: 'https://p.example'${more}}`;

describe('namespaces in a configuration', () => {
  it('are published or replicated, each once, in whatever spelling', () => {
    const text = `primary:
  namespaces:
    - ${published('https://a.example/')}
    - ${published('https://A.example:443/')}
    - ${published('https://a.example/b/')}
replicated:
  namespaces:
    - ${replicated('https://a.example/b/')}
    - ${replicated('http://a.example/')}`;
    assert.deepEqual(problems(text), [
      '4:13 primary.namespaces[1].url: expected each namespace once, got "https://a.example/" again, as in primary.namespaces[0].url.',
      '8:13 replicated.namespaces[0].url: expected each namespace once, got "https://a.example/b/" again, as in primary.namespaces[2].url.',
    ]);
  });

  it('want a public side, on which visitors and other nodes ask', () => {
    const closed = [
      '1:16 listen.site: expected an address, because there are namespaces, got nothing. Give an address, or take the namespaces out.',
    ];
    const listen = 'listen: {site: null}\n';
    assert.deepEqual(problems(`${listen}primary: {namespaces: [${published('http://a.example/')}]}`), closed);
    assert.deepEqual(problems(`${listen}replicated: {namespaces: [${replicated('http://a.example/')}]}`), closed);
    assert.deepEqual(problems(listen), []);
  });

  it('are URLs that end in a slash', () => {
    for (const url of ['https://a.example/b', 'ftp://a.example/', 'a.example/', 'https://a.example/?b/']) {
      const [problem, ...more] = problems(`primary: {namespaces: [${published(url)}]}`);
      assert.match(problem ?? '', /^1:30 primary\.namespaces\[0\]\.url: expected an? .*URL/);
      assert.deepEqual(more, []);
    }
  });

  it('are replicated from a node, which has no path', () => {
    const text = "replicated: {namespaces: [{url: 'https://a.example/', from: 'https://p.example/a/'}]}";
    assert.deepEqual(problems(text), [
      '1:61 replicated.namespaces[0].from: expected a URL without a path, got "https://p.example/a/".',
    ]);
  });

  it('have times and sizes within what can be obeyed', () => {
    const wrong: [more: string, key: string][] = [
      ['pollEvery: 0s', 'pollEvery'],
      ['pollEvery: 30d', 'pollEvery'],
      ['bandwidth: 10KiB', 'bandwidth'],
      ['bandwidth: 1/s', 'bandwidth'],
      ["update: {cron: '0 3 * * *', timezone: Europe/Berlim}", 'update.timezone'],
      ["update: {cron: '0 3 * * *', for: 0s}", 'update.for'],
      ['include: []', 'include'],
      ["include: ['/a']", 'include[0]'],
      ['onChange: never', 'onChange'],
    ];
    for (const [more, key] of wrong) {
      const found = problems(`replicated: {namespaces: [${replicated('https://a.example/', `, ${more}`)}]}`);
      assert.equal(found.length, 1, more);
      assert.ok(found[0]?.includes(` replicated.namespaces[0].${key}: expected `), `${more}: ${found[0] ?? ''}`);
    }
  });

  it('have redirects with a status that leads somewhere', () => {
    const text = `primary: {namespaces: [{url: 'http://a.example/', directory: a, redirects: [{from: a, to: b, status: 304}]}]}`;
    assert.deepEqual(problems(text), [
      '1:102 primary.namespaces[0].redirects[0].status: expected 301 or 302 or 303 or 307 or 308, got 304.',
    ]);
  });

  it('say what is wrong with a map whose keys are their own', () => {
    const text = `primary:
  namespaces:
    - url: http://a.example/
      directory: a
      cleanUrls: yes
      types: {HTML: text/html, map: nonsense}
      headers:
        - match: '**'
          set: {'Bad Name': x, Good-Name: 5}
        - match: '**'
          set: x`;
    const at = 'primary.namespaces[0].';
    assert.deepEqual(problems(text), [
      `5:18 ${at}cleanUrls: expected true or false, got "yes".`,
      `6:15 ${at}types.HTML: expected letters and digits behind the dot of a file name, in lower case, got "HTML".`,
      `6:37 ${at}types.map: expected a media type such as text/html; charset=utf-8, got "nonsense".`,
      `9:17 ${at}headers[0].set["Bad Name"]: expected the name of a header field, got "Bad Name".`,
      `9:43 ${at}headers[0].set.Good-Name: expected the value of a header field, got 5.`,
      `11:16 ${at}headers[1].set: expected a map, got "x".`,
    ]);
  });

  it('say what is wrong with one of several ways to write a value', () => {
    const update = (value: string): string[] =>
      problems(`replicated: {namespaces: [${replicated('https://a.example/', `, update: ${value}`)}]}`).map((problem) =>
        problem.replace(/^\d+:\d+ replicated\.namespaces\[0\]\./, ''),
      );
    assert.deepEqual(update('never'), [
      `update: expected immediately or a map of 'cron', 'timezone' and 'for', got "never".`,
    ]);
    assert.deepEqual(update("{cron: '0 3 * * *', for: 5}"), [
      'update.for: expected a duration from 1ms to 24d, such as 500ms, 90s or 5m, got 5. Write 5s for seconds, 5ms for milliseconds.',
    ]);
    assert.deepEqual(update('{}'), [`update.cron: expected five fields as in a crontab: '0 3 * * *', got nothing.`]);
  });
});
