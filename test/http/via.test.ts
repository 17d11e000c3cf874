import assert from 'node:assert/strict';
import { Fields } from '../../proxy/http/fields.js';
import { cdnLoopEntry, isLoop, pseudonym, viaEntry } from '../../proxy/http/via.js';

const node = { name: 'berlin-1', instance: '3f2a9c' };

describe('Via (RFC 9110 §7.6.3)', () => {
  it('a member has the received version, a pseudonym and a comment (RFC 9110 §7.6.3)', () => {
    assert.equal(viaEntry('1.0', node), '1.0 berlin-1 (Willis 3f2a9c)');
  });

  it('a name that is no token becomes one (RFC 9110 §5.6.2)', () => {
    assert.equal(viaEntry('1.1', { name: 'Köln (west)', instance: 'x' }), '1.1 K-ln--west- (Willis x)');
    assert.equal(pseudonym(''), '-');
  });
});

describe('loops (RFC 8586)', () => {
  it('a request that this process forwarded is recognised by its CDN-Loop (RFC 8586 §2)', () => {
    assert.equal(cdnLoopEntry(node), 'berlin-1;n=3f2a9c');
    const fields = new Fields(['CDN-Loop', 'other; n=1', 'CDN-Loop', cdnLoopEntry(node)]);
    assert.equal(isLoop(fields, node), true);
  });

  it('and by its Via where CDN-Loop was removed (RFC 9110 §7.6.3)', () => {
    const fields = Fields.of({ Via: `1.1 a, ${viaEntry('1.1', node)}, 1.1 b` });
    assert.equal(isLoop(fields, node), true);
  });

  it('other members, names and instances are no loop (RFC 8586 §2)', () => {
    for (const fields of [
      Fields.none,
      Fields.of({ 'CDN-Loop': 'berlin-1' }),
      Fields.of({ 'CDN-Loop': 'berlin-1;n=3f2a9d, other;n=3f2a9c' }),
      Fields.of({ 'CDN-Loop': 'berlin-1;n=3f2a9c0' }),
      Fields.of({ 'CDN-Loop': 'berlin-1;m=3f2a9c' }),
      Fields.of({ Via: viaEntry('1.1', { ...node, instance: '3f2a9c0' }) }),
      Fields.of({ Via: viaEntry('1.1', { ...node, name: 'berlin-2' }) }),
      Fields.of({ Via: '1.1 berlin-1' }),
    ]) {
      assert.equal(isLoop(fields, node), false, fields.wire());
    }
  });

  it('white space, quotes and other parameters do not hide a loop (RFC 8586 §2)', () => {
    assert.equal(isLoop(Fields.of({ 'CDN-Loop': 'a, BERLIN-1 ; trace=x ; n="3f2a9c"' }), node), true);
  });
});
