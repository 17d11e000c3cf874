import assert from 'node:assert/strict';
import { ConfigError } from '../../config/config-error.js';
import { loadConfig } from '../../config/load.js';

/** What is wrong with a rule; empty if nothing is. */
function problemsOf(rule: string): string {
  try {
    loadConfig(`cache: {rules: [{match: 'http://a.example/', ${rule}}]}`, 'x', {});
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError, 'a configuration is refused as such');
    return error.message;
  }
}

describe('a rule of the cache', () => {
  it('that stores nothing keeps nothing', () => {
    assert.match(problemsOf('store: false, pin: true'), /cache\.rules\[0\]\.pin: expected false, for the rule says/);
    assert.match(problemsOf('store: false, maxBytes: 1MiB'), /cache\.rules\[0\]\.maxBytes: expected null, for /);
    assert.equal(problemsOf('store: false, pin: false, maxBytes: null'), '');
  });

  it('has a share that holds something', () => {
    assert.match(problemsOf('maxBytes: 100'), /cache\.rules\[0\]\.maxBytes: expected /);
    assert.equal(problemsOf('pin: true, maxBytes: 4KiB'), '');
  });
});
