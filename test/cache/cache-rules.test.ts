import assert from 'node:assert/strict';
import { loadConfig } from '../../config/load.js';
import { CacheRules } from '../../proxy/cache/cache-rules.js';
import { keyOfUri } from '../../proxy/cache/cache-key.js';
import { ordinary } from '../../proxy/cache/retention.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { resolveReference } from '../../proxy/http/uri-reference.js';

const rulesOf = (...matches: string[]): CacheRules =>
  new CacheRules(
    loadConfig(JSON.stringify({ cache: { rules: matches.map((match) => ({ match })) } }), 'x', {}).cache.rules,
  );

const base: TargetUri = { scheme: 'http', host: 'base.test', port: 80, authority: 'base.test', path: '/' };

function uri(text: string): TargetUri {
  const target = resolveReference(base, text);
  assert.ok(target, 'no target');
  return target;
}

describe('the rules of the cache', () => {
  it('are asked in their order, and the first that matches governs', () => {
    const rules = rulesOf('http://a.example/live/', '*://*.example/', 'http://a.example/');
    assert.equal(rules.governing(uri('http://a.example/live/x'))?.match, 'http://a.example/live/');
    assert.equal(rules.governing(uri('https://a.example/x'))?.match, '*://*.example/');
    assert.equal(rules.governing(uri('http://a.test/')), null);
  });

  it('put what each of them governs into a class of its own, in every scope; the rest is ordinary', () => {
    const text = JSON.stringify({
      cache: {
        rules: [
          { match: 'http://A.example/live/', pin: true },
          { match: '*://*.example/', maxBytes: '1MiB' },
          { match: 'http://A.example/live/', pin: false },
        ],
      },
    });
    const rules = new CacheRules(loadConfig(text, 'x', {}).cache.rules);
    const [live, all] = rules.classes;
    assert.deepEqual(live, { name: 'http://A.example/live/', pinned: true, maxBytes: null });
    assert.deepEqual(all, { name: '*://*.example/', pinned: false, maxBytes: 1024 * 1024 });
    assert.equal(rules.classes.length, 2);
    assert.equal(rules.classOf(keyOfUri('http://a.example/live/x?y=/z', 'site')), live);
    assert.equal(rules.classOf(keyOfUri('https://b.example/', '')), all);
    assert.equal(rules.classOf(keyOfUri('http://a.test/?u=http://a.example/live/', '')), ordinary);
  });

  it('give keys the same classes when their patterns are the same, and otherwise say that they do not', () => {
    assert.equal(rulesOf('http://a/', 'http://b/').identity, rulesOf('http://a/', 'http://b/').identity);
    assert.notEqual(rulesOf('http://a/', 'http://b/').identity, rulesOf('http://b/', 'http://a/').identity);
  });

  it('look at the target URI without its query, scheme and host in any case', () => {
    const rules = rulesOf('HTTP://A.example/x');
    assert.notEqual(rules.governing(uri('http://a.example/x?y=/z')), null);
    assert.equal(rules.governing(uri('http://a.example/X')), null);
    assert.equal(rules.governing(uri('http://b.example/?u=http://a.example/x')), null);
  });
});
