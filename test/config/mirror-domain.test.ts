import assert from 'node:assert/strict';
import { ConfigError } from '../../config/config-error.js';
import { loadConfig } from '../../config/load.js';

/** What is wrong with a domain, beside other keys. */
function problem(domain: string, ...others: readonly string[]): string | null {
  const text = `node: {mirrorDomain: '${domain}', url: 'https://m1.example.org'}\n${others.join('\n')}\n`;
  try {
    loadConfig(text, 'c', {}, { hostName: 'cache-1' });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.replace(/^c:1:\d+ node\.mirrorDomain: /, '');
  }
  return null;
}

const site = (host: string): string => `sites: [{host: '${host}', origin: 'http://o.example/'}]`;
const namespaces = (url: string): string => `replicated: {namespaces: [{url: '${url}', from: 'https://f.example'}]}`;

describe('a domain for mirrors', () => {
  it('has nothing else in it: not this node, no site, no namespace', () => {
    const expected = 'expected a domain in which nothing else has a name, got';
    assert.equal(problem('m1.example.org'), `${expected} "m1.example.org", in which node.url is.`);
    assert.equal(problem('Example.ORG'), `${expected} "Example.ORG", in which node.url is.`);
    assert.equal(problem('m.example', site('a.m.example')), `${expected} "m.example", in which sites[0].host is.`);
    assert.equal(
      problem('m.example', namespaces('https://M.example/docs/')),
      `${expected} "m.example", in which replicated.namespaces[0].url is.`,
    );
    for (const others of [site('*'), site('am.example'), site('example'), namespaces('https://am.example/')]) {
      assert.equal(problem('m.example', others), null, others);
    }
    assert.equal(problem('mirror.m1.example.org'), null, 'below the name of the node');
  });

  it('has names below it, of which there may be many', () => {
    for (const domain of ['*', '127.0.0.1', '[::1]']) {
      assert.equal(problem(domain), `expected a domain, which has names below it, got "${domain}".`);
    }
    for (const domain of ['localhost', 'a.localhost', 'wlis', 'm.wlis']) {
      assert.equal(problem(domain), `expected a domain of your own, got "${domain}".`);
    }
    const long = `${'abcdefghi.'.repeat(23)}example`;
    assert.equal(problem(long), `expected a domain of at most 226 characters, got one of ${long.length}.`);
  });
});
