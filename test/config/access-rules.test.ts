import assert from 'node:assert/strict';
import { ConfigError } from '../../config/config-error.js';
import { loadConfig } from '../../config/load.js';

/** The problems of a rule, where users are known. */
function problemsOf(rule: string): string {
  try {
    loadConfig(`access: {authentication: {usersFile: u}, rules: [${rule}]}`, 'c.yaml', {});
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError, 'not a ConfigError');
    return error.message;
  }
}

describe('an access rule', () => {
  it('for users is for the forward proxy too, for nobody is asked who he is on the public side', () => {
    assert.match(
      problemsOf('{action: deny, sides: [site], users: [bob]}'),
      /access\.rules\[0\]\.users: expected none in /,
    );
    assert.equal(problemsOf('{action: deny, sides: [site, proxy], users: [bob]}'), '');
    assert.equal(problemsOf('{action: deny, users: [bob]}'), '');
    assert.equal(problemsOf('{action: deny, sides: [site], users: []}'), '');
  });

  it('for CONNECT alone has no paths, for a tunnel has none', () => {
    assert.match(
      problemsOf('{action: deny, methods: [CONNECT], paths: [/a/]}'),
      /access\.rules\[0\]\.paths: expected none in /,
    );
    assert.equal(problemsOf('{action: deny, methods: [CONNECT, GET], paths: [/a/]}'), '');
    assert.equal(problemsOf('{action: deny, methods: [CONNECT]}'), '');
  });
});
