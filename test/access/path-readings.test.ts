import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readingsOf, readingsOfPattern } from '../../proxy/access/path-readings.js';

/** Servers, each in the way it finds the file for a path; written without regard to how Willis does it. */
const servers: Record<string, (path: string) => string> = {
  'decodes, and leaves dot segments where they are': (path) => decoded(path),
  'decodes, then removes dot segments': (path) => resolved(decoded(path)),
  'decodes, merges slashes, then removes dot segments': (path) => resolved(decoded(path).replace(/\/+/g, '/')),
  'takes backslashes for slashes': (path) => resolved(decoded(path).replaceAll('\\', '/')),
  'drops parameters, then decodes': (path) => resolved(decoded(path.replace(/;[^/]*/g, ''))),
  'decodes, then drops parameters': (path) => resolved(decoded(path).replace(/;[^/]*/g, '')),
  'decodes as long as there is something to decode': (path) => resolved(decodedThrough(path)),
};

function decodedThrough(path: string): string {
  const once = decoded(path);
  return once === path ? path : decodedThrough(once);
}

const decoded = (path: string): string =>
  path.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

function resolved(path: string): string {
  const out: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    if (segment === '..') out.pop();
    else if (segment !== '.') out.push(segment);
    if ((segment === '.' || segment === '..') && index === segments.length - 1) out.push('');
  });
  return `/${out.join('/')}`;
}

const pieces = [
  '/',
  '//',
  'a',
  'p',
  '%70',
  '%50',
  '..',
  '.',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5C',
  '\\',
  ';x',
  '%3b',
  '%25',
  '2e',
  '70',
];
const hostilePath = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((all) => `/${all.join('')}`);

describe('the readings of a path', () => {
  const cases: readonly (readonly [path: string, readings: readonly string[]])[] = [
    ['/private', ['/private']],
    ["/~a/b-c_d.e!$&'()+,=:@/", ["/~a/b-c_d.e!$&'()+,=:@/"]],
    ['/%70rivate', ['/private']],
    ['/a/../private', ['/a/../private', '/private']],
    ['/a/%2E%2e/private', ['/a/../private', '/private']],
    ['/./private/.', ['/./private/.', '/private/']],
    ['//private', ['//private', '/private']],
    ['/a//../private', ['/a//../private', '/a/private', '/private']],
    ['/a%2f..%2Fprivate', ['/a%2F..%2Fprivate', '/private']],
    ['/a\\..\\private', ['/a%5C..%5Cprivate', '/private']],
    ['/a/..;x/private', ['/a/..;x/private', '/private']],
    ['/%2570rivate', ['/%2570rivate', '/private']],
    ['/%252570rivate', ['/%252570rivate', '/private']],
    ['/a;b/c', ['/a;b/c', '/a/c']],
    ['/caf%c3%a9', ['/caf%C3%A9']],
    ['/a*b', ['/a%2Ab']],
    ['/../..', ['/../..', '/']],
    ['/', ['/']],
  ];
  for (const [path, readings] of cases) {
    it(`${path} are ${readings.join(' and ')} (RFC 3986 §5.2.4, §6.2.2)`, () => {
      assert.deepEqual([...new Set(readingsOf(path))].sort(), [...readings].sort());
    });
  }

  for (const [does, read] of Object.entries(servers)) {
    it(`have that of a server that ${does}`, () => {
      fc.assert(
        fc.property(hostilePath, (path) => {
          const octets = readingsOf(path).map(decoded);
          const wanted = read(path);
          assert.ok(octets.includes(wanted), `${path}: ${wanted} is not among ${[...new Set(octets)].join(' ')}`);
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('correspond to those of patterns by index, in which only a star that is not encoded is a wildcard', () => {
    const path = readingsOf('/a%2Fb;c//%2a');
    const pattern = readingsOfPattern('/a%2Fb;c//%2a');
    assert.deepEqual(path, pattern);
    assert.deepEqual([...new Set(readingsOfPattern('/*/%2A/**'))], ['/*/%2A/**']);
  });
});
