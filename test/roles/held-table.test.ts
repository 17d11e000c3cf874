import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { HeldTable } from '../../proxy/roles/replication/held-table.js';
import { canonicalUriOf } from '../../wlis/canonical-uri.js';
import { parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { NamespaceTable } from '../../wlis/namespace-table.js';
import { NotCanonical } from '../../wlis/not-canonical.js';

const targetOf = (path: string, authority = 'a.example', scheme: 'http' | 'https' = 'http'): TargetUri => {
  const [host = '', port] = authority.split(':');
  return { scheme, host, port: Number(port ?? 80), authority, path };
};

/** What the table of namespaces says of the one spelling of the URI. */
function expected(spaces: readonly Namespace[], { scheme, authority, path }: TargetUri): Namespace | null {
  const table = new NamespaceTable<Namespace>();
  for (const space of spaces) table.set(space, space);
  try {
    return table.of(canonicalUriOf(scheme, authority, path)) ?? null;
  } catch (error) {
    if (error instanceof NotCanonical) return null;
    throw error;
  }
}

const spaces = [
  'http://a.example/',
  'http://a.example/docs/',
  'http://a.example/docs/~m%20x/',
  'http://a.example:8080/b/',
];
const all = [...spaces, 'https://a.example/docs/', 'http://b.example/'].map(parseNamespace);
const tableOf = (held: readonly Namespace[]) => new HeldTable(held.map((space) => [space, space] as const));

describe('the table of the namespaces that a node holds', () => {
  it('finds the longest namespace that a target belongs to, however it is spelled', () => {
    const table = tableOf(all);
    for (const [path, found] of [
      ['/', 'http://a.example/'],
      ['/docs', 'http://a.example/'],
      ['/docs/', 'http://a.example/docs/'],
      ['/%64ocs/x', 'http://a.example/docs/'],
      ['/docs/../x', 'http://a.example/'],
      ['/docs/%7em%20x/y', 'http://a.example/docs/~m%20x/'],
      ['/?/docs/', 'http://a.example/'],
    ] as const) {
      assert.equal(table.of(targetOf(path)), found, path);
    }
    assert.equal(table.of(targetOf('/docs/', 'c.example')), null);
    assert.equal(table.of(targetOf('/docs/', 'a.example', 'https')), 'https://a.example/docs/');
  });

  it('has nothing of what belongs to no namespace by its path, nor of the protocol or OPTIONS *', () => {
    const table = tableOf(all);
    for (const path of ['/.well-known/wlis/head', '/.well-known/x', '/%2ewell-known/x', '*']) {
      assert.equal(table.of(targetOf(path)), null, path);
    }
  });

  it('agrees with the table of namespaces about any target', () => {
    const piece = fc.constantFrom(
      ...[
        'docs',
        'Docs',
        '%64ocs',
        '~m%20x',
        '%7Em%20x',
        '%7em x',
        '.',
        '..',
        '%2e%2e',
        '',
        'b',
        '.well-known',
        'wlis',
      ],
      ...[
        'a;b',
        'a:b',
        'a@b',
        "a'b",
        'a(b)',
        'a*b',
        'a,b',
        'a%2Fb',
        'a\\b',
        'ä',
        '%C3%A4',
        '%zz',
        'a b',
        '$&+=!',
        '%00',
        '[x]',
        '|',
      ],
    );
    const path = fc
      .tuple(fc.array(piece, { maxLength: 6 }), fc.constantFrom('', '?', '?q', '?/docs/', '?a/../b', '?ä'))
      .map(([pieces, query]) => `/${pieces.join('/')}${query}`);
    const authority = fc.constantFrom(
      'a.example',
      'a.example:8080',
      'A.example',
      'a.example.',
      'a.example:80',
      'b.example',
    );
    const scheme = fc.constantFrom('http' as const, 'https' as const);
    const some = fc.oneof(
      path,
      fc.string({ unit: 'binary' }).map((text) => `/${text}`),
    );
    fc.assert(
      fc.property(fc.subarray(all), some, authority, scheme, (held, ...[at, of, by]) => {
        const target = targetOf(at, of, by);
        assert.equal(tableOf(held).of(target), expected(held, target));
      }),
      { numRuns: 3000 },
    );
  });
});
