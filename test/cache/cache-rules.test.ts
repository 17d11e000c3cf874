import assert from 'node:assert/strict';
import { loadConfig } from '../../config/load.js';
import { CacheRules } from '../../proxy/cache/cache-rules.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { resolveReference } from '../../proxy/http/uri-reference.js';

const rulesOf = (...matches: string[]): CacheRules =>
  new CacheRules(
    loadConfig(JSON.stringify({ cache: { rules: matches.map((match) => ({ match })) } }), 'x', {}).cache.rules,
  );

const base: TargetUri = { scheme: 'http', host: 'base.test', port: 80, authority: 'base.test', path: '/' };

function uri(text: string): TargetUri {
  const target = resolveReference(base, text);
  assert.ok(target);
  return target;
}

describe('the rules of the cache', () => {
  it('are asked in their order, and the first that matches governs', () => {
    const rules = rulesOf('http://a.example/live/', '*://*.example/', 'http://a.example/');
    assert.equal(rules.governing(uri('http://a.example/live/x'))?.match, 'http://a.example/live/');
    assert.equal(rules.governing(uri('https://a.example/x'))?.match, '*://*.example/');
    assert.equal(rules.governing(uri('http://a.test/')), null);
  });

  it('look at the target URI without its query, scheme and host in any case', () => {
    const rules = rulesOf('HTTP://A.example/x');
    assert.notEqual(rules.governing(uri('http://a.example/x?y=/z')), null);
    assert.equal(rules.governing(uri('http://a.example/X')), null);
    assert.equal(rules.governing(uri('http://b.example/?u=http://a.example/x')), null);
  });
});
