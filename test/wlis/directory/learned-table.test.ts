import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalUriOf } from '../../../wlis/canonical-uri.js';
import { LearnedTable } from '../../../wlis/directory/learned-table.js';
import { parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import { NamespaceTable } from '../../../wlis/namespace-table.js';
import { NotCanonical } from '../../../wlis/not-canonical.js';
import { targetOf } from './known-network.js';

const origin = 'http://docs.example';

describe('the table of learned namespaces', () => {
  const segment = fc.constantFrom('a', 'b', 'c.d', '%61', '%2F', '..', '~x', 'ä', '');
  const path = fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
  const spaces = fc.uniqueArray(fc.constantFrom('/', '/a/', '/b/', '/a/b/', '/a/b/a/', '/c.d/'), { maxLength: 6 });

  it('finds what a table that knows only canonical URIs finds, however the target is spelled', () => {
    fc.assert(
      fc.property(spaces, path, fc.boolean(), (paths, asked, hasQuery) => {
        const table = new LearnedTable<Namespace>();
        const reference = new NamespaceTable<Namespace>();
        const known = paths.map((one) => parseNamespace(origin + one));
        table.setAuthority(origin, new Map(known.map((one) => [one, one])));
        for (const one of known) reference.set(one, one);
        const target = { ...targetOf(`${origin}/`), path: asked + (hasQuery ? '?a/b=/a/' : '') };
        assert.equal(table.of(target), referenceOf(reference, target.path));
      }),
    );
  });

  function referenceOf(reference: NamespaceTable<Namespace>, asked: string): Namespace | null {
    try {
      return reference.of(canonicalUriOf('http', 'docs.example', asked)) ?? null;
    } catch (error) {
      if (error instanceof NotCanonical) return null;
      throw error;
    }
  }

  it('a namespace of which only the name is known hides the shorter ones, and is found by nobody', () => {
    const table = new LearnedTable<string>();
    const [all, inner] = [parseNamespace(`${origin}/`), parseNamespace(`${origin}/inner/`)];
    table.setAuthority(
      origin,
      new Map([
        [all, 'all'],
        [inner, null],
      ]),
    );
    assert.equal(table.of(targetOf(`${origin}/x`)), 'all');
    assert.equal(table.of(targetOf(`${origin}/inner/x`)), null);
    assert.equal(table.get(inner), undefined);
    assert.deepEqual([table.size, [...table.all()]], [1, ['all']]);
    table.setAuthority(origin, new Map([[inner, null]]));
    assert.deepEqual([table.size, table.of(targetOf(`${origin}/x`))], [0, null]);
  });

  it('tells hosts apart, and knows one by any of its spellings', () => {
    const table = new LearnedTable<string>();
    table.setAuthority('http://docs.example:8080', new Map([[parseNamespace('http://docs.example:8080/'), 'it']]));
    const at = (authority: string, scheme: 'http' | 'https' = 'http') =>
      table.of({ scheme, authority, host: authority.replace(/:.*/, ''), port: 8080, path: '/x' });
    assert.equal(at('docs.example:8080'), 'it');
    assert.equal(at('docs.example.:8080'), 'it');
    for (const other of ['docs.example', 'docs.example:80', 'docs.example:8081', 'xdocs.example:8080']) {
      assert.equal(at(other), null, other);
    }
    assert.equal(at('docs.example:8080', 'https'), null);
  });
});
