import assert from 'node:assert/strict';
import { canonicalUri } from '../../../wlis/canonical-uri.js';
import { clientPlace, placesFor } from '../../../wlis/directory/group-places.js';
import { parseResolution, resolutionText } from '../../../wlis/directory/resolution.js';
import { Fields } from '../../../proxy/http/fields.js';
import { namespaceLabel, parseNamespace } from '../../../wlis/namespace.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import { FakeClock } from '../../support/fake-clock.js';
import { replicaAt, TestAuthority } from './known-network.js';
import { disbelief } from '../trust/disbelief.js';

const at = (latitude: number, longitude: number) => ({ area: null, position: { latitude, longitude } });
const [berlin, sydney] = [at(52_500, 13_400), at(-33_900, 151_200)];

describe('where a directory says that a URI can be had', () => {
  const clock = new FakeClock();
  const uri = canonicalUri('http://docs.example/a.iso?x=1');

  async function places(
    members: Readonly<Record<string, Partial<Replica>>>,
    asked: Partial<Parameters<typeof placesFor>[1]> = {},
    origin = 'http://docs.example',
  ) {
    const authority = await TestAuthority.make(origin, clock);
    const replicas = await Promise.all(Object.entries(members).map(([url, over]) => replicaAt(url, clock, over)));
    replicas.sort((a, b) => (a.key < b.key ? -1 : 1));
    const group = await authority.group(1, { replicas });
    return placesFor(group, { uri, client: null, isOut: () => false, now: clock.now(), chance: () => 0.5, ...asked });
  }
  const urls = (all: readonly { readonly url: string }[]): readonly string[] => all.map(({ url }) => url);

  it('is raw at those who have it, the primary last', async () => {
    const all = await places({ 'http://m1.example': {} });
    assert.deepEqual(urls(all), ['http://m1.example', 'http://docs.example']);
    const label = namespaceLabel(parseNamespace('http://docs.example/'));
    assert.equal(all[0]?.raw, `http://m1.example/.well-known/wlis/raw/${label}/a.iso?x=1`);
    assert.deepEqual(
      all.map(({ role, browsers }) => [role, browsers]),
      [
        ['replica', false],
        ['primary', true],
      ],
    );
  });

  it('is not at who holds another part, is active no longer, or has no URL', async () => {
    const subset = { include: ['*.html'], exclude: [], maxBytes: null };
    const all = await places({
      'http://part.example': { subset },
      'http://past.example': { activeUntil: clock.now() },
      'http://none.example': { urls: [] },
    });
    assert.deepEqual(urls(all), ['http://docs.example']);
  });

  it('is what is nearest to a client that says where it is, in either order', async () => {
    const members = { 'http://berlin.example': { place: berlin }, 'http://sydney.example': { place: sydney } };
    assert.equal((await places(members, { client: berlin }))[0]?.url, 'http://berlin.example');
    assert.equal((await places(members, { client: sydney }))[0]?.url, 'http://sydney.example');
  });

  it('takes turns among equals by what they can take, and puts last who is better not asked', async () => {
    const members = { 'http://big.example': { capacity: 9 }, 'http://small.example': { capacity: 1 } };
    let seed = 7;
    const chance = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    let big = 0;
    for (let n = 0; n < 80; n++) if ((await places(members, { chance }))[0]?.url === 'http://big.example') big++;
    assert.ok(big > 56 && big < 80, `the larger one came first ${big} times of 80`);
    const isOut = (url: string): boolean => url === 'http://big.example';
    assert.equal((await places(members, { isOut })).at(-1)?.url, 'http://big.example');
  });

  it('reads where a client is only as it is written', () => {
    const said = (value: string) => clientPlace(new Fields(['WLIS-Client', value]));
    assert.deepEqual(said('geo="52.5,13.4"'), berlin);
    assert.deepEqual(said('other=1, geo="-33.9,151.2"'), sydney);
    for (const wrong of [
      '',
      'geo=52.5',
      'geo="91,0"',
      'geo="0,181"',
      'geo="a,b"',
      'geo="1,2,3"',
      'geo',
      'geo="1e9,1"',
    ]) {
      assert.equal(said(wrong), null, wrong);
    }
    assert.equal(clientPlace(Fields.none), null);
  });

  it('what it says is read as it is written, and refused otherwise', () => {
    const said = {
      ...{ namespace: parseNamespace('http://docs.example/'), uri, group: 'a.b.c' },
      at: [{ url: 'http://m1.example', role: 'replica', raw: 'http://m1.example/x', browsers: true }] as const,
    };
    assert.deepEqual(parseResolution(resolutionText(said)), said);
    assert.throws(() => parseResolution('{}'), disbelief('malformed'));
    assert.throws(
      () => parseResolution(resolutionText({ ...said, namespace: 'http://DOCS/' as never })),
      disbelief('malformed'),
    );
    assert.throws(() => parseResolution('x'.repeat(3_000_000)), disbelief('too-large'));
  });
});
