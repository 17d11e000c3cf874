import assert from 'node:assert/strict';
import { Linter } from 'eslint';
import fc from 'fast-check';
import { addressText } from '../../../proxy/http/address-text.js';
import { contains, knownRange } from '../../../proxy/http/ip-address.js';
import { isLocalHost } from '../../../wlis/pac/local-hosts.js';
import { pacFile, type PacFacts } from '../../../wlis/pac/pac-file.js';
import { evaluatePac, type PacEvaluation } from './pac-evaluator.js';

const plain: PacFacts = {
  proxies: [
    { authority: 'one.example:3128', secure: false },
    { authority: '[2001:db8::1]:3129', secure: true },
  ],
  direct: 'fallback',
  exceptions: [],
  namespaces: [],
};
const proxies = 'PROXY one.example:3128; HTTPS [2001:db8::1]:3129';

const evaluated = (facts: Partial<PacFacts> = {}): Promise<PacEvaluation> =>
  evaluatePac(pacFile({ ...plain, ...facts }));

describe('a file for the automatic configuration of browsers', () => {
  it('is ECMAScript 3 in ASCII, whatever it names', () => {
    const namespace = 'http://docs.example/x"y</script>\u2028\\/';
    const replicas = [{ authority: 'm1.example:80', secure: false }];
    const text = pacFile({
      ...plain,
      exceptions: ['a.example', '*.b.example', '10.0.0.0/8'],
      namespaces: [{ namespace, replicas }],
    });
    assert.match(text, /^[\n\x20-\x7e]*$/);
    assert.doesNotMatch(text, /<\/script/);
    const config = { languageOptions: { ecmaVersion: 3, sourceType: 'script' } } as const;
    assert.deepEqual(new Linter().verify(text, config), []);
    assert.notDeepEqual(new Linter().verify('var a = [1].map(x => x);', config), []);
  });

  it('names the proxies in their order, and no proxy at the end', async () => {
    const find = await evaluated();
    assert.equal(await find('http://www.example/'), `${proxies}; DIRECT`);
    assert.equal(await find('https://www.example/'), `${proxies}; DIRECT`);
  });

  it('direct: never leaves browsers nothing but the proxies, always sends them there for namespaces only', async () => {
    const namespaces = [{ namespace: 'http://docs.example/', replicas: [] }];
    const never = await evaluated({ direct: 'never', namespaces });
    assert.equal(await never('http://www.example/'), proxies);
    assert.equal(await never('http://docs.example/'), proxies);
    const always = await evaluated({ direct: 'always', namespaces });
    assert.equal(await always('http://www.example/'), 'DIRECT');
    assert.equal(await always('http://docs.example/a'), `${proxies}; DIRECT`);
  });

  it('what has a name of .wlis goes by the proxies, since nobody else knows it', async () => {
    for (const direct of ['never', 'fallback', 'always'] as const) {
      const find = await evaluated({ direct, exceptions: ['*.wlis'] });
      for (const host of ['manual.wlis', 'a.b.WLIS', 'manual.wlis.']) {
        assert.equal(await find(`http://${host.toLowerCase()}/x`, host), proxies, host);
      }
    }
  });

  it('local names and addresses, and none that look like them, are reached without a proxy', async () => {
    const find = await evaluated({ direct: 'never' });
    const local = ['intranet', 'a.localhost', 'printer.local', 'nas.home.arpa', '10.1.2.3', '192.168.0.1', '127.0.0.1'];
    for (const host of [
      ...local,
      '172.31.0.1',
      '169.254.1.1',
      '::1',
      '[::1]',
      'fe80::1',
      'fd00::a:b',
      '::ffff:a00:1',
    ]) {
      assert.equal(await find('http://x.example/', host), 'DIRECT', host);
    }
    const others = [
      'local.example',
      'x.locals',
      '11.1.2.3',
      '172.32.0.1',
      '2001:db8::1',
      '10.1.2.3.example',
      '1:2',
      '::1::',
    ];
    for (const host of [
      ...others,
      '1.2.3.400',
      '10.1.2',
      '::ffff:808:1',
      'fe80::1::2',
      'fe80:1:2:3:4:5:6:7:8',
      'fe80:g::',
    ]) {
      assert.equal(await find('http://x.example/', host), proxies, host);
    }
  });

  it('exceptions are names, what is below a name, addresses and ranges', async () => {
    const exceptions = [
      'Nas.example',
      '*.corp.example',
      '192.0.2.7',
      '198.51.100.0/25',
      '2001:db8:1::/48',
      '203.0.113.9/32',
    ];
    const find = await evaluated({ direct: 'never', exceptions });
    for (const host of [
      'nas.example',
      'nas.example.',
      'a.b.corp.example',
      '192.0.2.7',
      '198.51.100.127',
      '203.0.113.9',
    ]) {
      assert.equal(await find(`http://${host}/`, host), 'DIRECT', host);
    }
    assert.equal(await find('http://[2001:db8:1:2::3]/', '2001:db8:1:2::3'), 'DIRECT');
    for (const host of [
      'a.nas.example',
      'corp.example',
      'xcorp.example',
      '192.0.2.8',
      '198.51.100.128',
      '203.0.113.8',
    ]) {
      assert.equal(await find(`http://${host}/`, host), proxies, host);
    }
    assert.equal(await find('http://[2001:db8:2::3]/', '2001:db8:2::3'), proxies);
  });

  it('a namespace is asked of its replicas, then of the proxies; the longest one counts', async () => {
    const namespaces = [
      { namespace: 'http://docs.example/', replicas: [{ authority: 'm1.example:80', secure: false }] },
      { namespace: 'http://docs.example/big/', replicas: [{ authority: 'm2.example:443', secure: true }] },
      { namespace: 'http://docs.example:8080/', replicas: [] },
      { namespace: 'http://10.0.0.7/', replicas: [] },
    ];
    const find = await evaluated({ namespaces, exceptions: ['excepted.example'] });
    assert.equal(await find('http://docs.example/a?b'), `PROXY m1.example:80; ${proxies}; DIRECT`);
    assert.equal(await find('http://docs.example/big/x'), `HTTPS m2.example:443; ${proxies}; DIRECT`);
    assert.equal(await find('http://docs.example/big'), `PROXY m1.example:80; ${proxies}; DIRECT`);
    assert.equal(await find('http://docs.example:8080/'), `${proxies}; DIRECT`);
    assert.equal(await find('https://docs.example/'), `${proxies}; DIRECT`);
    assert.equal(await find('http://10.0.0.7/x'), `${proxies}; DIRECT`);
    assert.equal(await find('http://10.0.0.8/x'), 'DIRECT');
  });

  it('an exception beats a namespace', async () => {
    const namespaces = [
      { namespace: 'http://docs.example/', replicas: [{ authority: 'm1.example:80', secure: false }] },
    ];
    const find = await evaluated({ namespaces, exceptions: ['docs.example'] });
    assert.equal(await find('http://docs.example/a'), 'DIRECT');
  });

  it('without any proxy all is reached without one', async () => {
    const find = await evaluated({ proxies: [] });
    assert.equal(await find('http://www.example/'), 'DIRECT');
    assert.equal(await find('http://manual.wlis/'), 'DIRECT');
  });

  it('judges addresses as this node does, in whatever spelling of browsers', async () => {
    const range = knownRange('2001:db8:0:a0::/59');
    const find = await evaluated({ direct: 'never', exceptions: ['2001:db8:0:a0::/59'] });
    const near = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
    await fc.assert(
      fc.asyncProperty(near, async ([subnet, rest]) => {
        const address = { family: 6, value: (0x20010db80000n << 80n) | (BigInt(subnet) << 64n) | rest } as const;
        const text = addressText(address);
        const expected = contains(range, address) ? 'DIRECT' : proxies;
        assert.equal(await find(`http://[${text}]/`, text), expected, text);
      }),
      { numRuns: 60 },
    );
  });

  it('what is local for the file is local for this node, which writes namespaces there for that', async () => {
    const find = await evaluated({ direct: 'never' });
    for (const host of ['intranet', 'a.local', 'www.example', '10.0.0.1', '[::1]', '[2001:db8::1]', '8.8.8.8']) {
      assert.equal((await find(`http://${host}/`, host)) === 'DIRECT', isLocalHost(host), host);
    }
  });
});
