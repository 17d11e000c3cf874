import assert from 'node:assert/strict';
import { Fields } from '../../../../proxy/http/fields.js';
import { mirroredFields } from '../../../../wlis/html/mirror/mirror-fields.js';
import { MirrorPlaces } from '../../../../wlis/html/mirror/mirror-places.js';
import { nameSpace, pathSpace, type MirrorSpace } from '../../../../wlis/html/mirror/mirror-space.js';
import { MirrorUrls } from '../../../../wlis/html/mirror/mirror-urls.js';
import { namespaceLabel, parseNamespace } from '../../../../wlis/namespace.js';
import { targetOf } from '../../../replication/serving/held-example.js';

const manual = parseNamespace('http://docs.example/manual/');
const label = namespaceLabel(manual);
const named = nameSpace('.m.example');

function mirrored(space: MirrorSpace, fields: Readonly<Record<string, string | readonly string[]>>): Fields {
  const urls = new MirrorUrls(
    new MirrorPlaces(space, { namespaces: [manual], key: '1' }),
    { namespace: manual, path: 'a/page' },
    null,
  );
  return mirroredFields(Fields.of(fields), { space, urls, target: targetOf('http://docs.example/manual/a/page') });
}

/** Lines that each space adds whatever there is. */
const added = (space: MirrorSpace): readonly string[] => mirrored(space, {}).lines;

const without = (space: MirrorSpace, fields: Fields): readonly string[] =>
  fields.lines.slice(0, fields.lines.length - added(space).length);

describe('the fields of documents as browsers get them from a replica', () => {
  it('decision 6: nothing reaches beyond the document, in any space', () => {
    const beyond = [
      ...['Set-Cookie', 'Service-Worker-Allowed', 'Clear-Site-Data', 'Strict-Transport-Security', 'Alt-Svc', 'NEL'],
      ...['Report-To', 'Reporting-Endpoints', 'Public-Key-Pins', 'Accept-CH', 'Critical-CH', 'Expect-CT'],
      ...['Use-As-Dictionary', 'Set-Login', 'Secure-Session-Registration', 'Sec-Session-Registration'],
      ...['Activate-Storage-Access', 'Observe-Browsing-Topics', 'Attribution-Reporting-Register-Source'],
    ];
    for (const space of [pathSpace, named]) {
      for (const name of beyond) assert.deepEqual(without(space, mirrored(space, { [name]: 'x' })), [], name);
      const kept = { 'Content-Type': 'text/html', ETag: '"a"', 'Cache-Control': 'max-age=60', Vary: 'Accept' };
      assert.deepEqual(without(space, mirrored(space, kept)), Fields.of(kept).lines);
    }
  });

  it('below /mirror/ a document is in a sandbox besides its own policies, and open to all that are in one', () => {
    assert.deepEqual(added(pathSpace), [
      ...[
        'Content-Security-Policy',
        'sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads',
      ],
      ...['Access-Control-Allow-Origin', '*', 'Cross-Origin-Resource-Policy', 'cross-origin'],
      ...['X-Content-Type-Options', 'nosniff'],
    ]);
    const fields = mirrored(pathSpace, {
      'Content-Security-Policy': "default-src 'self'",
      'Access-Control-Allow-Origin': 'http://docs.example',
      'Access-Control-Allow-Credentials': 'true',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'X-Frame-Options': ['SAMEORIGIN', 'DENY'],
    });
    assert.deepEqual(without(pathSpace, fields), [
      ...['Content-Security-Policy', "default-src 'self'", 'X-Frame-Options', 'DENY'],
    ]);
  });

  it('under a name of its own what it says of its origin holds, which it shares with nobody', () => {
    assert.deepEqual(added(named), [
      ...['X-Content-Type-Options', 'nosniff', 'Origin-Agent-Cluster', '?1'],
      // no cache gives a script that is stored to those who are refused it
      ...['Vary', 'Service-Worker'],
    ]);
    const own = { 'Access-Control-Allow-Origin': 'http://docs.example', 'X-Frame-Options': 'SAMEORIGIN' };
    assert.deepEqual(without(named, mirrored(named, own)), Fields.of(own).lines);
    assert.deepEqual(mirrored(named, { 'Origin-Agent-Cluster': '?0' }).all('origin-agent-cluster'), ['?1']);
  });

  it('Location leads to where that is shown, or to the origin', () => {
    const led = (space: MirrorSpace, location: string): string | undefined =>
      mirrored(space, { Location: location }).first('location');
    assert.equal(led(pathSpace, 'next#x'), `/mirror/${label}/a/next#x`);
    assert.equal(led(pathSpace, '/manual/x'), `/mirror/${label}/x`);
    assert.equal(led(pathSpace, '../../x'), 'http://docs.example/x');
    assert.equal(led(pathSpace, '//else.example/'), 'http://else.example/');
    assert.equal(led(pathSpace, 'http://'), 'http://');
    assert.equal(led(named, 'http://docs.example/manual/x'), '/manual/x');
    assert.equal(led(named, '../../x'), 'http://docs.example/x');
  });

  it('Location that names another mirror, by the port that was asked for, is for nobody else', () => {
    const other = parseNamespace('http://other.example/');
    const places = new MirrorPlaces(nameSpace('.m.example:6666'), { namespaces: [manual, other], key: '1' });
    const urls = new MirrorUrls(places, { namespace: manual, path: '' }, null);
    const led = (location: string): Fields =>
      mirroredFields(
        Fields.of({ Location: location, 'Cache-Control': 'max-age=3600', 'CDN-Cache-Control': 'max-age=60' }),
        { space: places.space, urls, target: targetOf('http://docs.example/manual/') },
      );
    const elsewhere = led('http://other.example/x');
    assert.equal(elsewhere.first('location'), `//${namespaceLabel(other)}.m.example:6666/x`);
    assert.deepEqual(elsewhere.list('cache-control'), ['max-age=3600', 'private']);
    assert.equal(elsewhere.has('cdn-cache-control'), false);
    for (const location of ['/manual/x', 'http://nobody.example/']) {
      const shared = led(location);
      assert.deepEqual(shared.list('cache-control'), ['max-age=3600'], location);
      assert.equal(shared.first('cdn-cache-control'), 'max-age=60', location);
    }
  });

  it('Refresh and Link lead where the same would in a page', () => {
    const fields = { Refresh: '5; url="/manual/x"', Link: '</manual/a.css>; rel=preload, <b>; title="</c>"' };
    const path = mirrored(pathSpace, fields);
    assert.equal(path.first('refresh'), `5; url="/mirror/${label}/x"`);
    assert.equal(path.first('link'), `</mirror/${label}/a.css>; rel=preload, <b>; title="</c>"`);
    assert.deepEqual(without(named, mirrored(named, fields)).toSorted(), Fields.of(fields).lines.toSorted());
    assert.equal(mirrored(pathSpace, { Refresh: '5' }).first('refresh'), '5');
  });
});
