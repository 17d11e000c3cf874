import assert from 'node:assert/strict';
import { MappedUpstream, mapTarget, publicReference, type Mapping } from '../../proxy/forward/mapped-upstream.js';
import type { Upstream } from '../../proxy/forward/upstream.js';
import { Fields } from '../../proxy/http/fields.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { never } from './upstream-fixture.js';

const uri = (scheme: 'http' | 'https', authority: string, path: string): TargetUri => {
  const { hostname, port } = new URL(`${scheme}://${authority}`);
  const usual = scheme === 'http' ? 80 : 443;
  return { scheme, host: hostname, port: port === '' ? usual : Number(port), authority, path };
};

const whole: Mapping = {
  publicOrigin: 'https://www.test',
  publicPrefix: '/',
  origin: uri('http', 'origin.test', '/'),
};
const part: Mapping = {
  publicOrigin: 'http://cache.test:8080',
  publicPrefix: '/npm/',
  origin: uri('https', 'registry.test:4873', '/base/'),
};

describe('a reference in an answer of the origin server (RFC 9110 §10.2.2, §8.7)', () => {
  const tables: [string, Mapping, Record<string, string>][] = [
    [
      'a whole site',
      whole,
      {
        'http://origin.test/a?b#c': 'https://www.test/a?b#c',
        'http://origin.test/': 'https://www.test/',
        'http://origin.test': 'https://www.test/',
        'http://origin.test?q': 'https://www.test/?q',
        'http://origin.test:80/a': 'https://www.test/a',
        'http://origin.test:/a': 'https://www.test/a',
        'HTTP://Origin.TEST/A': 'https://www.test/A',
        '//origin.test/a': 'https://www.test/a',
        'https://origin.test/a': 'https://origin.test/a',
        'http://origin.test:8080/a': 'http://origin.test:8080/a',
        'http://origin.test.evil.test/a': 'http://origin.test.evil.test/a',
        'http://origin.test@evil.test/a': 'http://origin.test@evil.test/a',
        'http://user@origin.test/a': 'http://user@origin.test/a',
        '//other.test/a': '//other.test/a',
        '/a': '/a',
        a: 'a',
        '?q': '?q',
        '': '',
        'mailto:a@origin.test': 'mailto:a@origin.test',
      },
    ],
    [
      'a part of one',
      part,
      {
        'https://registry.test:4873/base/a': 'http://cache.test:8080/npm/a',
        'https://registry.test:4873/base/': 'http://cache.test:8080/npm/',
        'https://registry.test:4873/base': 'https://registry.test:4873/base',
        'https://registry.test:4873/': 'https://registry.test:4873/',
        'https://registry.test:4873/basement': 'https://registry.test:4873/basement',
        'https://registry.test/base/a': 'https://registry.test/base/a',
        'http://registry.test:4873/base/a': 'http://registry.test:4873/base/a',
        '/base/a?b': '/npm/a?b',
        '/other/a': '/other/a',
        '//base/a': '//base/a',
        '../a': '../a',
      },
    ],
  ];
  for (const [name, mapping, cases] of tables) {
    for (const [reference, expected] of Object.entries(cases)) {
      it(`of ${name}: ${JSON.stringify(reference)} reads ${JSON.stringify(expected)}`, () => {
        assert.equal(publicReference(reference, mapping), expected);
      });
    }
  }
});

describe('a target of the public side', () => {
  it('goes to the part of the origin server that its prefix stands for', () => {
    const { origin } = part;
    assert.deepEqual(mapTarget(uri('http', 'cache.test:8080', '/npm/a?b=/npm/'), '/npm/', origin), {
      ...origin,
      path: '/base/a?b=/npm/',
    });
    assert.equal(mapTarget(uri('http', 'www.test', '/npm/'), '/npm/', origin).path, '/base/');
    assert.equal(mapTarget(uri('http', 'www.test', '/a'), '/', whole.origin).path, '/a');
  });

  it('OPTIONS * is for the origin server as a whole (RFC 9110 §9.3.7)', () => {
    assert.equal(mapTarget(uri('http', 'www.test', '*'), '/npm/', part.origin).path, '*');
  });
});

describe('a mapped upstream', () => {
  it('maps Location and Content-Location, and nothing else', async () => {
    const answered = Fields.of({ Link: '</base/x>', location: '/base/a', 'Content-Location': '/other' });
    const upstream: Upstream = {
      forward: () => Promise.resolve({ status: 201, reason: '', version: '1.1', fields: answered, body: null }),
      close: () => Promise.reject(new Error('closed by its owner')),
    };
    const mapped = new MappedUpstream(upstream, part);
    const request = { method: 'GET', target: part.origin, fields: Fields.none, body: null };
    const { fields } = await mapped.forward(request, never);
    assert.deepEqual(fields.lines, ['Link', '</base/x>', 'Content-Location', '/other', 'Location', '/npm/a']);
    await mapped.close();
  });
});
