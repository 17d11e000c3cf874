import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalUri } from '../../wlis/canonical-uri.js';
import { isInside, namespaceLabel, originOf, parseNamespace, pathInside, uriInside } from '../../wlis/namespace.js';
import { NamespaceTable } from '../../wlis/namespace-table.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { vectors } from './vectors.js';

interface Vectors {
  readonly labels: readonly { readonly namespace: string; readonly label: string }[];
  readonly table: readonly string[];
  readonly longest: readonly { readonly uri: string; readonly namespace: string | null }[];
}

const { labels, table, longest } = vectors('namespace') as Vectors;
const manual = parseNamespace('https://docs.example.org/manual/');

describe('namespaces', () => {
  it('are read in whatever spelling', () => {
    assert.equal(parseNamespace('HTTPS://Docs.Example.org:443/x/../manual/'), manual);
  });

  for (const text of ['http://a/b', 'http://a/?x=/', 'http://a/#/', 'http://a/.well-known/wlis/', 'ftp://a/', 'a/']) {
    it(`${text} is none`, () => assert.throws(() => parseNamespace(text), NotCanonical));
  }

  it('a document is inside if its URI begins with the namespace and is not below /.well-known/', () => {
    const root = parseNamespace('http://a/');
    assert.equal(pathInside(manual, canonicalUri('https://docs.example.org/manual/a?b')), 'a?b');
    assert.equal(pathInside(manual, manual), '');
    assert.equal(pathInside(manual, canonicalUri('https://docs.example.org/manual')), null);
    assert.equal(pathInside(manual, canonicalUri('http://docs.example.org/manual/')), null);
    assert.equal(isInside(root, canonicalUri('http://a/.well-known/acme-challenge/x')), false);
    assert.equal(isInside(root, canonicalUri('http://a/x/.well-known/y')), true);
  });

  it('a path leads to a URI inside, or nowhere', () => {
    assert.equal(uriInside(manual, 'a/b?c'), 'https://docs.example.org/manual/a/b?c');
    for (const path of ['../x', 'a/../b', 'a/%2e%2e/b', '%7e', 'a b', '#x', 'a\\b', '..']) {
      assert.throws(() => uriInside(manual, path), NotCanonical, path);
    }
    assert.throws(() => uriInside(parseNamespace('http://a/'), '.well-known/x'), NotCanonical);
  });

  for (const { namespace, label } of labels) {
    it(`${namespace} has the label ${label}`, () => assert.equal(namespaceLabel(parseNamespace(namespace)), label));
  }

  it('the origin is scheme, host and port', () => {
    assert.equal(originOf(canonicalUri('http://a:81/b/c')), 'http://a:81');
    assert.equal(originOf(canonicalUri('https://[::1]/')), 'https://[::1]');
  });
});

describe('a table of namespaces', () => {
  const filled = new NamespaceTable<string>();
  for (const text of table) filled.set(parseNamespace(text), text);

  for (const { uri, namespace } of longest) {
    it(`${uri} belongs to ${namespace ?? 'none'}`, () => {
      assert.equal(filled.of(canonicalUri(uri)) ?? null, namespace);
    });
  }

  it('gives the longest namespace that a URI begins with, whatever was added and taken away', () => {
    const segments = fc.array(fc.constantFrom('a', 'b'), { maxLength: 4 });
    const spaces = segments.map((path) => parseNamespace(`http://h/${path.map((one) => `${one}/`).join('')}`));
    fc.assert(
      fc.property(fc.array(fc.tuple(spaces, fc.boolean())), spaces, (steps, space) => {
        const own = new NamespaceTable<string>();
        const model = new Set<string>();
        for (const [one, add] of steps) {
          if (add) own.set(one, one);
          else assert.equal(own.delete(one), model.has(one));
          if (add) model.add(one);
          else model.delete(one);
        }
        const uri = canonicalUri(`${space}x?/a/`);
        const expected = [...model].filter((one) => uri.startsWith(one)).sort((x, y) => y.length - x.length)[0];
        assert.equal(own.of(uri), expected);
        assert.deepEqual(new Set([...own].map(([one]) => one as string)), model);
      }),
    );
  });
});
