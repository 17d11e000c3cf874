import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  isLabel,
  mirrorPath,
  mirrorUrl,
  nameSpace,
  parseMirrorPath,
  pathSpace,
} from '../../../../wlis/html/mirror/mirror-space.js';
import { namespaceLabel, parseNamespace } from '../../../../wlis/namespace.js';

const manual = parseNamespace('https://docs.example/manual/');
const label = namespaceLabel(manual);

describe('where browsers find namespaces at a replica', () => {
  it('decision 6: below /mirror/ by their labels, or under names of their own with the paths of their origin', () => {
    assert.equal(pathSpace.placeOf(manual), `/mirror/${label}/`);
    assert.equal(nameSpace('.m.example:8443').placeOf(manual), `//${label}.m.example:8443/manual/`);
    assert.equal(mirrorUrl('https://m1.example', label, 'a?b'), `https://m1.example/mirror/${label}/a?b`);
  });

  it('what stands behind the label is the path inside the namespace, as it came', () => {
    fc.assert(
      fc.property(fc.string(), (path) => {
        assert.deepEqual(parseMirrorPath(mirrorPath(label, path)), { label, path });
      }),
    );
    assert.deepEqual(parseMirrorPath(`/mirror/${label}`), { label, path: null });
    assert.deepEqual(parseMirrorPath(`/mirror/${label}?a`), { label, path: null });
  });

  it('nothing else is a label', () => {
    const others = [
      '',
      label.slice(1),
      `${label}a`,
      label.toUpperCase(),
      label.replace(/./, '1'),
      `${label.slice(1)}/`,
    ];
    for (const other of others) {
      assert.equal(isLabel(other), false, other);
      assert.equal(parseMirrorPath(`/mirror/${other}/x`), null, other);
    }
    for (const path of ['/mirror/', '/mirror', `/Mirror/${label}/`, `//mirror/${label}/`, `/x/mirror/${label}/`]) {
      assert.equal(parseMirrorPath(path), null, path);
    }
  });
});
