import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseNamespace } from '../../../wlis/namespace.js';
import {
  asLogicalName,
  hostOfName,
  isLogicalHost,
  logicalNameOf,
  patternsOf,
  type LogicalName,
} from '../../../wlis/names/logical-name.js';
import { resolveName, type NameSource } from '../../../wlis/names/name-resolution.js';
import { OwnNames } from '../../../wlis/names/own-names.js';

const named = (text: string): LogicalName => {
  const name = asLogicalName(text);
  assert.ok(name !== null, `${text} is a name`);
  return name;
};

const source = (by: string, table: Readonly<Record<string, string>>): NameSource => ({
  by,
  find: (pattern) => (Object.hasOwn(table, pattern) ? parseNamespace(table[pattern] as string) : null),
});

const baseOf = (name: string, ...sources: NameSource[]): string => {
  const found = resolveName(named(name), sources);
  return found.kind === 'found' ? found.base : found.kind;
};

describe('the name of the proxy itself', () => {
  it("is nobody's to give, be it by way of another name", () => {
    const everything: NameSource = { by: 'a key', find: () => parseNamespace('http://evil.example/') };
    assert.equal(baseOf('proxy', everything), 'unknown');
    assert.equal(baseOf('other', source('a key', { other: 'http://proxy.wlis/' }), everything), 'unknown');
    assert.equal(baseOf('x.proxy', source('a key', { '*.proxy': 'http://x.example/' })), 'http://x.example/x/');
  });

  it('is refused where the operator gives it', () => {
    const names = new OwnNames({ proxy: 'http://x.example/', other: 'http://x.example/' });
    assert.deepEqual(
      names.faults.map(({ name }) => name),
      ['proxy'],
    );
    assert.equal(names.find('proxy'), null);
  });
});

describe('logical names', () => {
  it('stand before .wlis in a host, with or without the dot of the root', () => {
    assert.equal(logicalNameOf('manual.wlis'), 'manual');
    assert.equal(logicalNameOf('a.b.wlis.'), 'a.b');
    assert.equal(hostOfName(named('a.b')), 'a.b.wlis');
  });

  it('a host that ends otherwise is none, nor is .wlis by itself', () => {
    for (const host of ['wlis', 'manual.wlis.example', 'manualwlis', '127.0.0.1', '[::1]']) {
      assert.equal(logicalNameOf(host), null, host);
      assert.equal(isLogicalHost(host), false, host);
    }
  });

  it('a host that is meant as one and is no host name leads nowhere, and is not looked up elsewhere', () => {
    for (const host of ['-a.wlis', 'a..wlis', 'a~b.wlis', `${'a'.repeat(64)}.wlis`, `${'a.'.repeat(124)}a.wlis`]) {
      assert.equal(logicalNameOf(host), null, host);
      assert.equal(isLogicalHost(host), true, host);
    }
  });

  it('may be listed by themselves, or by a wildcard for what is below a name, the longest first', () => {
    assert.deepEqual(
      [...patternsOf(named('a.b.docs'))],
      [
        { pattern: 'a.b.docs', rest: [] },
        { pattern: '*.b.docs', rest: ['a'] },
        { pattern: '*.docs', rest: ['a', 'b'] },
      ],
    );
  });
});

describe('what a logical name stands for', () => {
  it('is the namespace that it was given to', () => {
    assert.equal(baseOf('manual', source('x', { manual: 'https://Docs.example/m/' })), 'https://docs.example/m/');
  });

  it('the labels that a star stands for become segments of the path, the most significant first', () => {
    const users = source('x', { '*.users': 'http://isp.example/home/' });
    assert.equal(baseOf('alice.users', users), 'http://isp.example/home/alice/');
    assert.equal(baseOf('drafts.alice.users', users), 'http://isp.example/home/alice/drafts/');
  });

  it('a wildcard is not for the name that it is below', () => {
    assert.equal(baseOf('users', source('x', { '*.users': 'http://isp.example/' })), 'unknown');
  });

  it('of what one has named the longest counts', () => {
    const table = source('x', {
      '*.docs': 'http://a.example/',
      '*.b.docs': 'http://b.example/',
      'c.b.docs': 'http://c/',
    });
    assert.equal(baseOf('x.docs', table), 'http://a.example/x/');
    assert.equal(baseOf('x.b.docs', table), 'http://b.example/x/');
    assert.equal(baseOf('c.b.docs', table), 'http://c/');
    assert.equal(baseOf('d.c.b.docs', table), 'http://b.example/c/d/');
  });

  it('nobody takes a name out of what one before him has named', () => {
    const first = source('first', { '*.docs': 'http://a.example/' });
    const second = source('second', { 'x.docs': 'http://evil.example/', other: 'http://b.example/' });
    assert.equal(baseOf('x.docs', first, second), 'http://a.example/x/');
    const other = resolveName(named('other'), [first, second]);
    const base = 'http://b.example/';
    assert.deepEqual(other, { kind: 'found', base, namespace: base, pattern: 'other', by: 'second' });
  });

  it('may be a name again, with a path of its own', () => {
    const table = source('x', { short: 'http://long.docs.wlis/m/', '*.docs': 'http://a.example/d/' });
    const found = resolveName(named('short'), [table]);
    const [base, namespace] = ['http://a.example/d/long/m/', 'http://a.example/d/'];
    assert.deepEqual(found, { kind: 'found', base, namespace, pattern: 'short', by: 'x' });
  });

  it('what leads to a name that nobody has given, has a port, or is of https, is unknown, and it is said which', () => {
    for (const [uri, host] of [
      ['http://gone.wlis/', 'gone.wlis'],
      ['http://known.wlis:8080/', 'known.wlis:8080'],
      ['https://known.wlis/', 'known.wlis'],
    ] as const) {
      const found = resolveName(named('a'), [source('x', { a: uri, known: 'http://a.example/' })]);
      assert.deepEqual(found, { kind: 'unknown', host }, uri);
    }
  });

  it('names that lead to each other are refused, and named', () => {
    const table = source('x', { a: 'http://b.wlis/x/', b: 'http://c.wlis/', c: 'http://b.wlis/y/' });
    assert.deepEqual(resolveName(named('a'), [table]), { kind: 'circle', names: ['b', 'c', 'b'] });
    assert.deepEqual(resolveName(named('self'), [source('x', { self: 'http://self.wlis/deeper/' })]), {
      kind: 'circle',
      names: ['self', 'self'],
    });
  });

  it('a star that leads ever deeper below itself ends, too', () => {
    const table = source('x', { '*.docs': 'http://x.y.docs.wlis/' });
    assert.equal(resolveName(named('a.docs'), [table]).kind, 'circle');
    const growing: NameSource = {
      by: 'x',
      find: (pattern) =>
        /^n\d+$/.test(pattern) ? parseNamespace(`http://n${Number(pattern.slice(1)) + 1}.wlis/`) : null,
    };
    assert.equal(resolveName(named('n1'), [growing]).kind, 'too-long');
  });

  it('whatever is listed, the way ends, and what is found is of no name and ends in a slash', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
    const pattern = fc.oneof(
      name,
      name.map((one) => `*.${one}`),
    );
    const uri = fc.oneof(
      name.map((one) => `http://${one}.wlis/p/`),
      fc.constant('http://host.example/q/'),
    );
    const table = fc.dictionary(pattern, uri, { maxKeys: 6 });
    fc.assert(
      fc.property(name, table, (asked, names) => {
        const found = resolveName(named(asked), [source('x', names)]);
        if (found.kind === 'found') assert.match(found.base, /^http:\/\/host\.example\/q\/(?:[abcp]\/)*$/);
      }),
    );
  });
});

describe('the names that an operator gives', () => {
  it('are found as they are listed', () => {
    const own = new OwnNames({ manual: 'http://docs.example/', '*.users': 'http://isp.example/' });
    assert.deepEqual(own.faults, []);
    assert.deepEqual(own.all, [
      ['manual', 'http://docs.example/'],
      ['*.users', 'http://isp.example/'],
    ]);
    assert.equal(own.find('manual'), 'http://docs.example/');
    assert.equal(own.find('other'), null);
  });

  it('a URL that cannot be a namespace, and names that lead in a circle, are faults', () => {
    const own = new OwnNames({
      x: 'http://docs.example/.well-known/',
      a: 'http://b.wlis/',
      b: 'http://a.wlis/',
      '*.c': 'http://d.c.wlis/',
      fine: 'http://gone.wlis/',
    });
    assert.deepEqual(
      own.faults.map(({ name }) => name),
      ['x', 'a', 'b', '*.c'],
    );
    assert.match(own.faults[1]?.got ?? '', /a → b → a/);
  });
});
