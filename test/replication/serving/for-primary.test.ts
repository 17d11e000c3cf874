import assert from 'node:assert/strict';
import { forPrimary } from '../../../replication/serving/for-primary.js';
import { usualPolicy, visitor, type VisitorOptions } from './held-example.js';

const asked = (policy: Partial<typeof usualPolicy>, has: boolean, options: VisitorOptions = {}, path = '/page') =>
  forPrimary(visitor(`http://docs.example.org${path}`, options), { policy: { ...usualPolicy, ...policy } }, () => has);

describe('what only the primary may answer', () => {
  it('is every method but GET, HEAD and OPTIONS (protocol rule 6)', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) assert.equal(asked({}, false, { method }), null, method);
    for (const method of ['POST', 'PUT', 'DELETE', 'PROPFIND']) assert.equal(asked({}, true, { method }), 'method');
  });

  it('is a request with credentials where the namespace says so, and nowhere else (decision 18)', () => {
    for (const name of ['Cookie', 'Authorization']) {
      const fields = { [name]: 'x' };
      assert.equal(asked({ credentials: 'primary' }, true, { fields }), 'credentials');
      assert.equal(asked({ credentials: 'ignore' }, true, { fields }), null);
    }
    assert.equal(asked({ credentials: 'primary' }, true), null);
  });

  it('is a URI that no document has where that proves nothing, or its query is for the primary (decision 17)', () => {
    assert.equal(asked({ complete: false }, false), 'unknown');
    assert.equal(asked({ complete: false }, true), null);
    assert.equal(asked({ query: 'forward' }, false, {}, '/page?a=1'), 'unknown');
    assert.equal(asked({ query: 'forward' }, true, {}, '/page?a=1'), null);
    assert.equal(asked({ query: 'forward' }, false), null);
  });
});
