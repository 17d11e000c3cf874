import assert from 'node:assert/strict';
import { BufferedBody } from '../../../../proxy/http/body.js';
import { Fields } from '../../../../proxy/http/fields.js';
import { navigationOf, type ViewSpace } from '../../../../wlis/html/views/navigation.js';
import { navigation, plainNavigation } from './view-fixture.js';

type Headers = Record<string, string | string[]>;

interface Asked {
  readonly method?: string;
  readonly content?: string;
  readonly space?: ViewSpace;
}

const kindOf = (fields: Headers, { method = 'GET', content, space = 'proxy' }: Asked = {}) =>
  navigationOf(
    { method, fields: Fields.of(fields), body: content === undefined ? null : BufferedBody.from(content) },
    space,
  );

const without = (fields: Headers, name: string): Headers =>
  Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name));

describe('navigations of browsers', () => {
  it('say so in Sec-Fetch-Mode (Fetch Metadata §2.2), for a page or for one within another', () => {
    assert.equal(kindOf(navigation), 'page');
    assert.equal(kindOf(without(navigation, 'Sec-Fetch-Dest')), 'page');
    for (const destination of ['iframe', 'frame', 'IFRAME'])
      assert.equal(kindOf({ ...navigation, 'Sec-Fetch-Dest': destination }), 'frame');
    for (const destination of ['object', 'embed', 'fencedframe', 'empty', 'script'])
      assert.equal(kindOf({ ...navigation, 'Sec-Fetch-Dest': destination }), null, destination);
    for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket', 'navigate, navigate', ''])
      assert.equal(kindOf({ ...navigation, 'Sec-Fetch-Mode': mode }), null, mode);
  });

  it('without any Sec-Fetch field, as over plain http, wish for secure requests and name text/html', () => {
    assert.equal(kindOf(plainNavigation), 'page');
    assert.equal(kindOf({ ...plainNavigation, Accept: 'text/html;level=1' }), 'page');
    for (const accept of ['*/*', 'text/*', 'image/png', 'text/html5', 'application/xhtml+xml'])
      assert.equal(kindOf({ ...plainNavigation, Accept: accept }), null, accept);
    assert.equal(kindOf(without(plainNavigation, 'Accept')), null);
    assert.equal(kindOf(without(plainNavigation, 'Upgrade-Insecure-Requests')), null, 'curl, wget, a crawler');
    assert.equal(kindOf({ ...plainNavigation, 'Upgrade-Insecure-Requests': '0' }), null);
    for (const more of ['Sec-Fetch-Dest', 'Sec-Fetch-Site', 'Sec-Fetch-User'])
      assert.equal(kindOf({ ...plainNavigation, [more]: 'document' }), null, more);
  });

  it('are GET requests without content', () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'OPTIONS', 'get']) assert.equal(kindOf(navigation, { method }), null);
    assert.equal(kindOf(navigation, { content: 'x' }), null);
    assert.equal(kindOf(navigation, { content: '' }), 'page');
  });

  it('are none with Range, with conditions for an origin server, with WLIS fields, or from a service worker', () => {
    const others: Headers = {
      Range: 'bytes=0-9',
      'If-Range': '"1"',
      'If-Match': '"1"',
      'If-Unmodified-Since': 'Wed, 01 Jan 2025 00:00:00 GMT',
      'WLIS-Have': '"http://docs.example.org/";n=1',
      'wlis-anything': '1',
      'Service-Worker': 'script',
      'Service-Worker-Navigation-Preload': 'true',
    };
    for (const [name, value] of Object.entries(others)) {
      for (const fields of [navigation, plainNavigation])
        assert.equal(kindOf({ ...fields, [name]: value }), null, name);
    }
  });

  it('are none that forbid to change anything (RFC 9111 §5.2.1.6), in any case and on any line', () => {
    for (const value of ['no-transform', 'No-Transform', 'max-age=0, no-transform', ['max-age=0', 'no-transform']])
      assert.equal(kindOf({ ...navigation, 'Cache-Control': value }), null, String(value));
    assert.equal(kindOf({ ...navigation, 'Cache-Control': 'max-age=0' }), 'page', 'a reload');
  });

  it('that have come by way of somebody else are none of a forward proxy, and are of a mirror', () => {
    assert.equal(kindOf({ ...navigation, Via: '1.1 squid' }), null);
    assert.equal(kindOf({ ...navigation, Via: '1.1 squid' }, { space: 'mirror' }), 'page');
  });
});
