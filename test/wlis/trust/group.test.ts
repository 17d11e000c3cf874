import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs, milliseconds } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { canonicalJson, type Json, type JsonObject } from '../../../wlis/trust/canonical-json.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { groupPayload, openGroup, signGroup, type Group } from '../../../wlis/trust/group.js';
import type { Place } from '../../../wlis/trust/group-member.js';
import { admittedMember, judgeGroup, locatedReplicas, nextGroupVersion } from '../../../wlis/trust/group-standing.js';
import { openSigningKey, type PrivateJwk, type SigningKey } from '../../../wlis/trust/jws.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../../wlis/trust/public-key.js';
import type { Subset } from '../../../wlis/trust/subset.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { fullReplica, groupIssued, groupOf, replicaOf } from './group-example.js';
import { keyNamed } from './keys-example.js';
import { firstEpoch, manual } from './record-example.js';

interface Vectors {
  readonly key: PrivateJwk;
  readonly groups: readonly { readonly group: Group; readonly jws: string }[];
}

const table = vectors('group') as Vectors;
const at = (offset: number): ReturnType<typeof epochMs> => epochMs(groupIssued + offset);

let signer: SigningKey;
let [primary, a, b]: [PublicKey, PublicKey, PublicKey] = ['', '', ''] as never;

before(async () => {
  signer = await keyNamed('signer');
  const keys = await Promise.all(['node 1', 'node 2', 'node 3'].map(keyNamed));
  [primary, a, b] = keys.map(({ publicKey }) => publicKey) as [PublicKey, PublicKey, PublicKey];
});

const bySigner = (id: KeyId): PublicKey | null => (id === signer.id ? signer.publicKey : null);

/** Opens what a signer says that keeps to no form. */
async function openForged(change: (json: Record<string, Json>) => unknown): Promise<Group> {
  const json = JSON.parse(groupPayload(groupOf(primary, [fullReplica(a), replicaOf(b)]))) as Record<string, Json>;
  const changed = (change(json) ?? json) as JsonObject;
  return (await openGroup(await signer.sign('wlis-group', canonicalJson(changed)), manual, bySigner)).group;
}

/** The same with the first replica, or the members of another object, changed. */
const openWith = (over: JsonObject, where = 'replicas'): Promise<Group> =>
  openForged((json) => {
    if (where !== 'replicas') return { ...json, [where]: { ...(json[where] as JsonObject), ...over } };
    return { ...json, replicas: [{ ...(json['replicas'] as JsonObject[])[0], ...over }] };
  });

describe('groups', () => {
  for (const { group, jws } of table.groups) {
    it(`of docs/vectors/group.json: version ${group.version}`, async () => {
      const key = await openSigningKey(table.key);
      assert.deepEqual((await openGroup(jws, manual, () => key.publicKey)).group, group);
      assert.equal((await signGroup(group, key)).jws, jws);
    });
  }

  it('say what they were made of', async () => {
    for (const group of [groupOf(primary, []), groupOf(primary, [fullReplica(a), replicaOf(b, { access: 'open' })])]) {
      const { jws } = await signGroup(group, signer);
      assert.deepEqual((await openGroup(jws, manual, bySigner)).group, group);
    }
  });

  it('are of the namespace that was asked for, and of a key that signs for it', async () => {
    const { jws } = await signGroup(groupOf(primary, []), signer);
    const other = parseNamespace('https://docs.example.org/other/');
    await assert.rejects(openGroup(jws, other, bySigner), disbelief('wrong-subject', /another namespace/));
    await assert.rejects(
      openGroup(jws, manual, () => null),
      disbelief('wrong-signature'),
    );
    const head = await signer.sign('wlis-head', groupPayload(groupOf(primary, [])));
    await assert.rejects(openGroup(head, manual, bySigner), disbelief('wrong-subject', /another type/));
  });

  it('have each node once, replicas in the order of their keys', async () => {
    const twice = (json: Record<string, Json>): unknown => {
      const [first] = json['replicas'] as JsonObject[];
      return { ...json, replicas: [first, first] };
    };
    const turned = (json: Record<string, Json>): unknown => ({
      ...json,
      replicas: [...(json['replicas'] as JsonObject[])].reverse(),
    });
    await assert.rejects(openForged(twice), disbelief('malformed', /out of order/));
    await assert.rejects(openForged(turned), disbelief('malformed', /out of order/));
    await assert.rejects(
      signGroup(groupOf(primary, [replicaOf(primary)]), signer),
      disbelief('malformed', /primary is among/),
    );
  });

  it('name members by scheme, host and port in one spelling, by TLS where the namespace has it', async () => {
    const wrong: readonly (readonly [Json, RegExp])[] = [
      [['https://a.example', 'https://a.example'], /twice/],
      [['https://a.example/'], /canonical spelling/],
      [['https://A.example'], /canonical spelling/],
      [['https://a.example:443'], /canonical spelling/],
      [['https://a.example/base'], /canonical spelling/],
      [['https://a.example?x='], /canonical spelling/],
      [['https://u@a.example'], /user/],
      [['ftp://a.example'], /http/],
      [[7], /http/],
      [['http://a.example'], /without TLS/],
    ];
    for (const [urls, message] of wrong) {
      await assert.rejects(openWith({ urls }), disbelief('malformed', message), JSON.stringify(urls));
      await assert.rejects(openWith({ urls }, 'primary'), disbelief('malformed', message), JSON.stringify(urls));
    }
    await assert.rejects(openWith({ urls: [] }, 'primary'), disbelief('malformed', /a primary without a URL/));
    const plain = parseNamespace('http://docs.example.org/manual/');
    const group = groupOf(primary, [replicaOf(a, { urls: ['http://10.0.0.1:8080'] })], { namespace: plain });
    assert.deepEqual((await openGroup((await signGroup(group, signer)).jws, plain, bySigner)).group, group);
  });

  it('send clients that do not verify to listed replicas only', async () => {
    for (const flag of ['browsers', 'delegate']) {
      const only = { browsers: undefined, delegate: undefined, [flag]: true, access: 'open' };
      await assert.rejects(openWith(only), disbelief('malformed', /listed replicas only/));
      await assert.rejects(openWith({ [flag]: false }), disbelief('malformed', /not true/));
    }
    await assert.rejects(openWith({ access: 'own' }), disbelief('malformed', /'access'/));
  });

  it('refuse subsets that leave out nothing, and patterns that lead elsewhere or cost much', async () => {
    const wrong: readonly (readonly [Json, RegExp])[] = [
      [{}, /leaves out nothing/],
      [{ include: [] }, /empty list/],
      [{ exclude: [], maxBytes: 1 }, /empty list/],
      [{ include: ['/a'] }, /no pattern/],
      [{ include: ['a/../b'] }, /no pattern/],
      [{ include: [''] }, /no pattern/],
      [{ include: [1] }, /no string/],
      [{ exclude: ['*a*a*a*a*a*a*a*a*a'] }, /wildcards/],
      [{ maxBytes: 0 }, /'maxBytes'/],
      [{ maxBytes: 1, other: 1 }, /unknown member/],
    ];
    for (const [subset, message] of wrong) {
      await assert.rejects(openWith({ subset }), disbelief('malformed', message), JSON.stringify(subset));
    }
    await assert.rejects(openWith({ subset: { include: ['a'.repeat(1025)] } }), disbelief('too-large'));
    await assert.rejects(openWith({ subset: { include: Array<string>(65).fill('a') } }), disbelief('too-large'));
  });

  it('refuse places that are nowhere, and capacities that are none', async () => {
    const wrong: readonly Json[] = [
      {},
      { area: 'DE' },
      { area: 'd' },
      { lat: 1 },
      { lat: 90_001, lon: 0 },
      { lat: 0.5 },
    ];
    for (const place of wrong) {
      await assert.rejects(openWithNumbers({ place }), disbelief('malformed'), JSON.stringify(place));
    }
    for (const capacity of [0, 1_000_001, '1']) await assert.rejects(openWith({ capacity }), disbelief('malformed'));
  });

  it('refuse policies that nobody knows', async () => {
    const wrong: readonly JsonObject[] = [
      { consistency: 'loose' },
      { consistency: 'bounded', bound: undefined },
      { bound: 0 },
      { consistency: 'strict' },
      { credentials: 'send' },
      { query: 'drop' },
      { complete: false },
      { grace: -1 },
      { other: 1 },
    ];
    for (const over of wrong) {
      await assert.rejects(openWith(over, 'policy'), disbelief('malformed'), JSON.stringify(over));
    }
  });

  it('that no reader would take are not signed', async () => {
    const wrong: Partial<Group>[] = [
      { version: 0 },
      { expires: epochMs(1) },
      { refreshAfter: at(90_000_000) },
      { primary: { key: primary, urls: [], place: null, capacity: 1 } },
    ];
    for (const over of wrong)
      await assert.rejects(signGroup(groupOf(primary, [], over), signer), disbelief('malformed'));
    const include = Array.from({ length: 64 }, () => 'x'.repeat(1024));
    const many = Array.from({ length: 14 }, async (_, i) =>
      replicaOf((await keyNamed(`many ${i}`)).publicKey, { subset: { include, exclude: [], maxBytes: null } }),
    );
    await assert.rejects(signGroup(groupOf(primary, await Promise.all(many)), signer), disbelief('too-large'));
  });

  it('with any members, are read as they were written', async () => {
    const plain = { noNullPrototype: true } as const;
    const subsets: fc.Arbitrary<Subset | null> = fc.option(
      fc.record(
        {
          include: fc.array(fc.stringMatching(/^[a-z]{1,8}(?:\/\*\*)?$/), { maxLength: 3 }),
          exclude: fc.array(fc.stringMatching(/^\*\*\/\*\.[a-z]{1,4}$/), { maxLength: 3 }),
          maxBytes: fc.integer({ min: 1 }).map(bytes),
        },
        plain,
      ),
    );
    const places: fc.Arbitrary<Place | null> = fc.option(
      fc.record(
        {
          area: fc.stringMatching(/^[a-z]{2}$/),
          position: fc.option(
            fc.record(
              {
                latitude: fc.integer({ min: -90_000, max: 90_000 }),
                longitude: fc.integer({ min: -180_000, max: 180_000 }),
              },
              plain,
            ),
          ),
        },
        plain,
      ),
    );
    const replicas = fc.record(
      { subset: subsets, place: places, browsers: fc.boolean(), delegate: fc.boolean() },
      plain,
    );
    await fc.assert(
      fc.asyncProperty(replicas, replicas, fc.boolean(), async (one, two, strict) => {
        const group = groupOf(primary, [replicaOf(a, one), replicaOf(b, two)]);
        const mode = strict ? 'strict' : 'eventual';
        const policy = { ...group.policy, consistency: { mode } as const, grace: milliseconds(0) };
        const { jws } = await signGroup({ ...group, policy }, signer);
        assert.deepEqual((await openGroup(jws, manual, bySigner)).group, { ...group, policy });
      }),
      { numRuns: 40 },
    );
  });
});

/** `canonicalJson` refuses numbers that are no integers, the reader has to as well. */
async function openWithNumbers(over: JsonObject): Promise<Group> {
  const json = JSON.parse(groupPayload(groupOf(primary, [fullReplica(a)]))) as Record<string, Json>;
  const [first] = json['replicas'] as JsonObject[];
  const payload = JSON.stringify({ ...json, replicas: [sorted({ ...first, ...over })] });
  return (await openGroup(await signer.sign('wlis-group', payload), manual, bySigner)).group;
}

const sorted = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).sort(([x], [y]) => (x < y ? -1 : 1)));

describe('a group beside the newest one that is known', () => {
  const later = parseEpoch('1700000000001-0000000000000000');
  const known = (): Group => groupOf(primary, [replicaOf(a)]);
  const cases: readonly (readonly [string, () => Group, string])[] = [
    ['of a later version is newer', () => groupOf(primary, [], { version: groupIssued + 1 }), 'newer'],
    ['of an earlier version is older', () => groupOf(primary, [], { version: groupIssued - 1 }), 'older'],
    ['is the same', known, 'same'],
    ['of the same version with other members is an equivocation', () => groupOf(primary, []), 'equivocation'],
    [
      'of a later epoch is newer, whatever its version',
      () => groupOf(primary, [], { epoch: later, version: 1 }),
      'newer',
    ],
    [
      'of a version more than a day ahead is not taken',
      () => groupOf(primary, [], { version: groupIssued + 86_400_001 }),
      'ahead',
    ],
    ['issued more than a day ahead is not taken', () => groupOf(primary, [], { issued: at(86_400_001) }), 'ahead'],
  ];
  for (const [what, offered, judgement] of cases) {
    it(what, () => assert.equal(judgeGroup(known(), offered(), at(0)), judgement));
  }

  it('of an epoch that has ended is no news, whatever its version', () => {
    const newest = groupOf(primary, [], { epoch: later, version: 5 });
    assert.equal(judgeGroup(newest, groupOf(primary, [], { epoch: firstEpoch }), at(0)), 'ended-epoch');
  });

  it('where none is known, is newer', () => assert.equal(judgeGroup(null, known(), at(0)), 'newer'));

  it('gets a version above the one before, and the time if that is later', () => {
    assert.equal(nextGroupVersion(null, at(5)), groupIssued + 5);
    assert.equal(nextGroupVersion(known(), at(5)), groupIssued + 5);
    assert.equal(nextGroupVersion(known(), at(-1000)), groupIssued + 1);
  });
});

describe('membership', () => {
  const located = (group: Group, now: number): PublicKey[] => locatedReplicas(group, at(now)).map(({ key }) => key);
  const admits = (group: Group, key: PublicKey, learned: number, now: number): boolean =>
    admittedMember(group, keyIdOf(key), at(learned), at(now)) !== null;
  const day = 86_400_000;

  it('ends with activeUntil', () => {
    const group = groupOf(primary, [replicaOf(a, { activeUntil: at(1000) }), replicaOf(b)]);
    assert.deepEqual(located(group, 1000), [b]);
    assert.equal(admits(group, a, 0, 999), true);
    assert.equal(admits(group, a, 0, 1000), false);
    assert.equal(admits(group, signer.publicKey, 0, 0), false);
    assert.equal(admits(group, primary, 0, 1000), true);
  });

  it('of a replica without a URL gives it what members get, and nobody looks for documents there', async () => {
    const group = groupOf(primary, [replicaOf(a, { urls: [] }), replicaOf(b)]);
    const { jws } = await signGroup(group, signer);
    assert.deepEqual((await openGroup(jws, manual, bySigner)).group, group);
    assert.deepEqual(located(group, 0), [b]);
    assert.equal(admits(group, a, 0, 0), true);
  });

  it('stays as it was at refreshAfter while no newer group is to be had, for nobody could renew it', () => {
    const group = groupOf(primary, [replicaOf(a, { activeUntil: at(300_001) })]);
    assert.deepEqual(located(group, 10 * day), [a]);
    assert.equal(admits(group, a, 0, 2 * day), true);
  });

  it('of an expired group lasts for the grace of the namespace', () => {
    const group = groupOf(primary, [replicaOf(a)]);
    assert.equal(admits(group, a, 0, 8 * day - 1), true);
    assert.equal(admits(group, a, 0, 8 * day), false);
    assert.equal(admits(group, primary, 0, 8 * day), false);
  });

  it('is given to nobody by a group that had expired when it was learned, which still says where they are', () => {
    const group = groupOf(primary, [replicaOf(a)]);
    assert.equal(admits(group, a, day, day), false);
    assert.equal(admits(group, a, day - 1, day), true);
    assert.deepEqual(located(group, day), [a]);
  });
});
