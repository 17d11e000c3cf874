import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import type { Candidate, NodeHealth } from '../../../wlis/choice/choice.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { pacFacts, type PacState } from '../../../wlis/pac/pac-facts.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import type { PublicKey } from '../../../wlis/trust/public-key.js';
import { groupOf, replicaOf } from '../trust/group-example.js';

const well = { breaker: 'closed' } as NodeHealth;
const down: NodeHealth = { ...well, breaker: 'open' };

const candidate = (url: string, health = well): Candidate => ({
  ...{ url, key: null, role: 'replica', place: null, capacity: 1, health },
});

const keyOf = (name: string): PublicKey => name as PublicKey;

const delegate = (url: string, over: Partial<Replica> = {}): Replica =>
  replicaOf(keyOf(url), { urls: [url], delegate: true, ...over });

function known(uri: string, replicas: readonly Replica[] = []): KnownNamespace {
  const namespace = parseNamespace(uri);
  return { namespace, group: { group: groupOf(keyOf('primary'), replicas, { namespace }), jws: '' } } as KnownNamespace;
}

const keys: PacState['keys'] = { proxies: ['self'], direct: 'fallback', exceptions: [], namespaces: 'viaReplicas' };
const self = { authority: 'proxy.example:3128', secure: false };

const told = (namespaces: readonly KnownNamespace[], state: Partial<PacState> = {}) =>
  pacFacts({ keys, self, namespaces, order: () => [], ...state })?.namespaces;

describe('what a file for browsers is made of', () => {
  it('its proxies, this one where it says so', () => {
    const proxies = ['self', { host: '2001:db8::1', port: 3128 }] as const;
    assert.deepEqual(
      pacFacts({ keys: { ...keys, proxies: [...proxies] }, self, namespaces: [], order: () => [] })?.proxies,
      [self, { authority: '[2001:db8::1]:3128', secure: false }],
    );
  });

  it('replicas that may stand for the host of their namespace, in the order in which this node would ask them', () => {
    const replicas = [
      delegate('http://m1.example'),
      delegate('https://m2.example:8443'),
      delegate('https://m3.example'),
      replicaOf(keyOf('open'), { urls: ['http://m4.example'], browsers: true }),
      delegate('http://m5.example', { subset: { include: ['a/**'], exclude: [], maxBytes: bytes(1) } }),
    ];
    const order = () => [5, 4, 3, 1].map((i) => candidate(`http://m${i}.example`));
    const secure = (): Candidate[] => [
      ...order(),
      candidate('https://m2.example:8443'),
      candidate('https://m3.example'),
    ];
    assert.deepEqual(told([known('http://docs.example/', replicas)], { order: secure })?.[0]?.replicas, [
      { authority: 'm1.example:80', secure: false },
      { authority: 'm2.example:8443', secure: true },
      { authority: 'm3.example:443', secure: true },
    ]);
  });

  it('none that looks down, unless all do', () => {
    const [one, two] = ['http://m1.example', 'http://m2.example'];
    const namespaces = [known('http://docs.example/', [delegate(one), delegate(two)])];
    const named = (...health: NodeHealth[]) =>
      told(namespaces, { order: () => [candidate(one, health[0]), candidate(two, health[1])] })?.[0]?.replicas.map(
        ({ authority }) => authority,
      );
    assert.deepEqual(named(down, well), ['m2.example:80']);
    assert.deepEqual(named(down, down), ['m1.example:80', 'm2.example:80']);
  });

  it('only namespaces for which something else holds than for their hosts, and never those of https', () => {
    const all = ['https://a.example/', 'http://b.example/', 'http://intranet/', 'http://10.0.0.1:8080/'].map((uri) =>
      known(uri),
    );
    assert.deepEqual(
      told(all)?.map(({ namespace }) => namespace),
      ['http://10.0.0.1:8080/', 'http://intranet/'],
    );
    const always = told(all, { keys: { ...keys, direct: 'always' } });
    assert.deepEqual(
      always?.map(({ namespace }) => namespace),
      ['http://10.0.0.1:8080/', 'http://b.example/', 'http://intranet/'],
    );
  });

  it('no replicas where browsers are to go by proxies', () => {
    const namespaces = [known('http://docs.example/', [delegate('http://m1.example')])];
    const order = () => [candidate('http://m1.example')];
    assert.equal(told(namespaces, { order })?.length, 1);
    assert.deepEqual(told(namespaces, { order, keys: { ...keys, namespaces: 'viaProxy' } }), []);
  });

  it('at most a thousand namespaces, those that were used last, each with at most eight replicas', () => {
    const urls = Array.from({ length: 20 }, (_, i) => `http://m${i}.example`);
    const namespaces = Array.from({ length: 1100 }, (_, i) =>
      known(
        `http://n${i}.example/`,
        urls.map((url) => delegate(url)),
      ),
    );
    const found = told(namespaces, { order: () => urls.map((url) => candidate(url)) }) ?? [];
    assert.equal(found.length, 1000);
    assert.equal(
      found.some(({ namespace }) => namespace === 'http://n1000.example/'),
      false,
    );
    assert.equal(Math.max(...found.map(({ replicas }) => replicas.length)), 8);
  });

  it('nothing where there is nothing to be said, or browsers would be left without any way', () => {
    const namespaces = [known('http://intranet/')];
    const facts = (state: Partial<PacState>) =>
      pacFacts({ keys, self: null, namespaces: [], order: () => [], ...state });
    assert.equal(facts({}), null);
    assert.notEqual(facts({ namespaces }), null);
    assert.equal(facts({ namespaces, keys: { ...keys, direct: 'never' } }), null);
  });
});
