import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkAgainstSchema, type AccessRule } from '../../config/schema.js';
import { AccessRules, type AccessDecision, type AccessFacts } from '../../proxy/access/access-rules.js';

type Written = Readonly<Record<string, unknown>>;

const rulesOf = (...rules: readonly Written[]): readonly AccessRule[] => {
  const checked = checkAgainstSchema({ access: { rules } });
  assert.ok('config' in checked, JSON.stringify(checked));
  return checked.config.access.rules;
};

const request: AccessFacts = {
  side: 'proxy',
  client: '192.0.2.7',
  user: null,
  method: 'GET',
  host: 'www.example.org',
  port: 443,
  path: '/a/b?q',
};

const decide = (rules: readonly Written[], facts: Partial<AccessFacts> = {}): AccessDecision =>
  new AccessRules(rulesOf(...rules)).decide({ ...request, ...facts });

const said = (rules: readonly Written[], facts: Partial<AccessFacts> = {}): string => {
  const decision = decide(rules, facts);
  return 'rule' in decision ? `${decision.kind} ${decision.rule}` : decision.kind;
};

describe('access rules', () => {
  it('say nothing where there are none, or none holds', () => {
    assert.equal(said([]), 'no-rule');
    assert.equal(said([{ action: 'deny', methods: ['POST'] }]), 'no-rule');
  });

  it('the first one that holds decides', () => {
    assert.equal(said([{ action: 'allow' }, { action: 'deny' }]), 'allow 0');
    assert.equal(said([{ action: 'deny', ports: [80] }, { action: 'deny' }, { action: 'allow' }]), 'deny 1');
  });

  const conditions: readonly (readonly [Written, Partial<AccessFacts>, boolean])[] = [
    [{ clients: ['192.0.2.0/24'] }, {}, true],
    [{ clients: ['192.0.2.0/24', '::1'] }, { client: '::1' }, true],
    [{ clients: ['192.0.2.0/24'] }, { client: '198.51.100.1' }, false],
    [{ clients: ['0.0.0.0/0'] }, { client: 'unknown' }, false],
    [{ methods: ['GET', 'HEAD'] }, { method: 'HEAD' }, true],
    [{ methods: ['GET'] }, { method: 'get' }, false],
    [{ hosts: ['*.example.org'] }, {}, true],
    [{ hosts: ['example.org'] }, {}, false],
    [{ ports: [80, 443] }, {}, true],
    [{ ports: [80] }, {}, false],
    [{ paths: ['/a/'] }, {}, true],
    [{ paths: ['/a/b'] }, {}, true],
    [{ paths: ['/a'] }, {}, false],
    [{ paths: ['/*/b'] }, {}, true],
    [{ paths: ['/'] }, { method: 'CONNECT', path: null }, false],
    [{ methods: ['CONNECT'], ports: [443] }, { method: 'CONNECT', path: null }, true],
    [{ sides: ['site'] }, {}, false],
    [{ sides: ['proxy', 'site'] }, { side: 'site' }, true],
    [{}, { side: 'site' }, false],
  ];
  for (const [written, facts, holds] of conditions) {
    for (const action of ['allow', 'deny']) {
      it(`one that would ${action} ${JSON.stringify(written)} ${holds ? 'holds' : 'does not hold'} for ${JSON.stringify(facts)}`, () => {
        assert.equal(said([{ action, ...written }], facts), holds ? `${action} 0` : 'no-rule');
      });
    }
  }

  it('a rule for users holds for those who have proved to be one of them', () => {
    assert.equal(said([{ action: 'allow', users: ['alice', 'bob'] }], { user: 'bob' }), 'allow 0');
    assert.equal(said([{ action: 'allow', users: ['*'] }], { user: 'carol' }), 'allow 0');
    assert.equal(said([{ action: 'deny', users: ['alice'] }], { user: 'carol' }), 'no-rule');
    assert.equal(said([{ action: 'allow', users: ['Zo\u0065\u0308'] }], { user: 'Zo\u00eb' }), 'allow 0');
  });

  it('a rule for users that would otherwise hold has a client asked who it is, whatever comes after it', () => {
    assert.equal(said([{ action: 'deny', users: ['alice'] }, { action: 'allow' }]), 'challenge 0');
    assert.equal(said([{ action: 'allow', users: ['*'], ports: [80] }, { action: 'deny' }]), 'deny 1');
    assert.equal(said([{ action: 'allow' }, { action: 'allow', users: ['*'] }]), 'allow 0');
  });

  it('on the public side nobody is a user, and nobody is asked', () => {
    const sides = ['proxy', 'site'];
    assert.equal(
      said(
        [
          { action: 'deny', sides, users: ['*'] },
          { action: 'allow', sides },
        ],
        { side: 'site' },
      ),
      'allow 1',
    );
  });

  it('one that allows PURGE by name has it performed', () => {
    const purge = { method: 'PURGE' };
    assert.deepEqual(decide([{ action: 'allow', methods: ['PURGE'] }], purge), {
      kind: 'allow',
      rule: 0,
      purges: true,
    });
    assert.deepEqual(decide([{ action: 'allow' }], purge), { kind: 'allow', rule: 0, purges: false });
  });

  it('an address in a host is judged in all that it stands for: any to deny, all to allow', () => {
    const rule = { hosts: ['64:ff9b::/96'] };
    assert.equal(said([{ action: 'deny', ...rule }], { host: '[64:ff9b::a00:1]' }), 'deny 0');
    assert.equal(said([{ action: 'allow', ...rule }], { host: '[64:ff9b::a00:1]' }), 'no-rule');
    assert.equal(said([{ action: 'deny', hosts: ['10.0.0.0/8'] }], { host: '[64:ff9b::a00:1]' }), 'deny 0');
    assert.equal(said([{ action: 'deny', hosts: ['10.0.0.0/8'] }], { host: '0xa.1' }), 'deny 0');
  });

  const evasions = [
    ...['/%70rivate/x', '/a/../private/x', '//private/x', '/./private/x', '/private//x', '/a%2f..%2fprivate/x'],
    ...['/a/%2e%2e/private/x', '/%2570rivate/x', '/a\\..\\private/x', '/a/..;/private/x', '/private;s=1/x'],
    ...['/private/../private/x', '/private/%2e%2e/private/x?/public', '/a/b/../../private/x', '/%2fprivate/x'],
  ];
  for (const path of evasions) {
    it(`what is denied under /private/ is denied as ${path}, and what is allowed under /a/ is not allowed as that`, () => {
      assert.equal(said([{ action: 'deny', paths: ['/private/'] }], { path }), 'deny 0');
      assert.equal(said([{ action: 'allow', paths: ['/a/', '/public/'] }], { path }), 'no-rule');
    });
  }

  it('what is allowed may be spelt as one likes, as long as every server reads it as allowed', () => {
    const rules = [{ action: 'allow', paths: ['/public/', '/a;b/*', '/caf%C3%A9'] }];
    for (const path of ['/%70ublic/x', '/public/x/../y', '/public//x', '/public/a%2Fb', '/a;b/c', '/caf%c3%a9']) {
      assert.equal(said(rules, { path }), 'allow 0', path);
    }
    for (const path of ['/public/../x', '/a/c', '/a;b/c/d', '/public%2fx/../../y']) {
      assert.equal(said(rules, { path }), 'no-rule', path);
    }
  });

  it('whatever is said of a path by a rule that allows, a rule of the same paths that denies says too', () => {
    const pieces = ['/', 'a', 'b', '%61', '..', '.', '%2f', ';', '%25', '*', '%2A', '\\'];
    const path = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((all) => `/${all.join('')}`);
    const pattern = fc
      .array(fc.constantFrom('/', 'a', 'b', '*', '**', '%61', ';'), { maxLength: 5 })
      .map((all) => `/${all.join('')}`);
    fc.assert(
      fc.property(path, fc.array(pattern, { minLength: 1, maxLength: 3 }), (tested, paths) => {
        const allowed = said([{ action: 'allow', paths }], { path: tested }) === 'allow 0';
        const denied = said([{ action: 'deny', paths }], { path: tested }) === 'deny 0';
        assert.ok(denied || !allowed, 'allowed, and not denied');
      }),
    );
  });

  it('say what the first rule says whose conditions all hold one by one', () => {
    const some = <T>(...values: T[]): fc.Arbitrary<T[]> => fc.subarray(values);
    const rule = fc.record({
      action: fc.constantFrom('allow', 'deny'),
      sides: fc.subarray(['proxy', 'site'], { minLength: 1 }),
      clients: some('192.0.2.0/24', '198.51.100.0/24'),
      users: some('alice', 'bob', '*'),
      methods: some('GET', 'CONNECT'),
      hosts: some('www.example.org', '*.example.net'),
      ports: some(80, 443),
      paths: some('/a/', '/b/'),
    });
    const facts = fc.record({
      side: fc.constantFrom('proxy' as const, 'site' as const),
      client: fc.constantFrom('192.0.2.7', '198.51.100.1', '203.0.113.1'),
      user: fc.constantFrom(null, 'alice', 'carol'),
      method: fc.constantFrom('GET', 'POST', 'CONNECT'),
      host: fc.constantFrom('www.example.org', 'a.example.net'),
      port: fc.constantFrom(80, 443),
      path: fc.constantFrom(null, '/a/x', '/c'),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), facts, (rules, tested) => {
        const alone = rules.map((one) => said([one], tested));
        const first = alone.findIndex((outcome) => outcome !== 'no-rule');
        const expected = first === -1 ? 'no-rule' : (alone[first] ?? '').replace(/\d+$/, String(first));
        assert.equal(said(rules, tested), expected);
        rules.forEach((one, index) => {
          const { action, sides, users, ...rest } = one;
          const each = Object.entries({ ...rest, sides }).map(([key, value]) =>
            said([{ action, sides, [key]: value }], tested),
          );
          const holds = each.every((outcome) => outcome === `${action} 0`);
          const isUser = tested.user !== null && (users.includes('*') || users.includes(tested.user));
          const asked = users.length > 0 && tested.user === null && tested.side === 'proxy';
          const single = !holds
            ? 'no-rule'
            : asked
              ? 'challenge 0'
              : users.length > 0 && !isUser
                ? 'no-rule'
                : `${action} 0`;
          assert.equal(alone[index], single);
        });
      }),
    );
  });
});
