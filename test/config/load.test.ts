import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { ConfigError } from '../../config/config-error.js';
import { filesNamedBy } from '../../config/files.js';
import { loadConfig, loadWithPositions, toYaml } from '../../config/load.js';
import type { Config } from '../../config/schema.js';

const load = (text: string, environment: Record<string, string> = {}): Config =>
  loadConfig(text, '/etc/willis/proxy.config.yaml', environment, { hostName: 'cache-1' });

/** The problems of a text, as `line:column path: expected …, got …. Hint.` */
function problems(text: string, environment: Record<string, string> = {}): string[] {
  try {
    load(text, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n').map((line) => line.replace('/etc/willis/proxy.config.yaml:', ''));
  }
  return [];
}

describe('a configuration', () => {
  it('that is empty has every default', () => {
    const config = load('');
    assert.deepEqual(config.roles, ['clientSide']);
    assert.deepEqual(config.listen.proxy, {
      address: { host: '127.0.0.1', port: 3128 },
      tls: null,
      proxyProtocol: [],
    });
    assert.deepEqual(config.access.clients, ['127.0.0.0/8', '::1/128']);
    assert.equal(config.limits.headerBytes, 32 * 1024);
    assert.equal(config.cache.heuristicMax, 86_400_000);
    assert.deepEqual(config.log.access, { format: 'combined', path: null });
  });

  it('has the name of the host as its node name, unless it gives one', () => {
    assert.equal(load('').node.name, 'cache-1');
    assert.equal(load('node: {name: berlin}').node.name, 'berlin');
  });

  it('is frozen to its last value', () => {
    const config = load('sites: [{host: a.example, origin: "http://b.example/"}]');
    assert.ok([config, config.limits, config.sites[0]?.origin].every(Object.isFrozen), 'not frozen');
  });

  it('written out in full loads to the same again', () => {
    const text = `
sites:
  - {host: A.example, origin: 'HTTP://B.example:80/x/'}
  - {host: '[::1]', prefix: /npm/, origin: 'https://registry.example:8443/@scope/', sendHost: client}
listen: {proxy: null, site: {address: '*:443', tls: {cert: a.pem, key: a.key}}, admin: '[::1]:0'}
roles: []
limits: {headerTimeout: 1500ms, uri: 1000}
log: {access: {path: access.log}}
access:
  authentication: {usersFile: users, realm: Branch}
  rules: [{action: deny, sides: [site], hosts: ['*.example.org', 10.0.0.0/8], paths: ['/a/', '**.exe']}]
  operator: {tokenFile: token, hosts: [cache.example]}
upstream: {proxy: {url: 'HTTP://parent.example:3128/', user: branch, passwordFile: password}, noProxy: []}
cache: {rules: [{match: '*://*.example.org/**.png', lifetime: 1h}, {match: 'https://a.example/live/', store: false}]}
`;
    assert.deepEqual(load(toYaml(load(text))), load(text));
  });
});

describe('listeners', () => {
  it('have an address alone, or an address with one certificate or several', () => {
    const { listen } = load(`
listen:
  proxy: {address: 127.0.0.1:1}
  site: {address: 127.0.0.1:2, tls: {cert: a.pem, key: a.key}}
  admin: {address: 127.0.0.1:3, tls: [{cert: /b.pem, key: /b.key}, {cert: c.pem, key: c.key}]}
`);
    assert.equal(listen.proxy?.tls, null);
    assert.deepEqual(listen.site?.tls, [{ cert: '/etc/willis/a.pem', key: '/etc/willis/a.key' }]);
    assert.deepEqual(
      listen.admin?.tls?.map(({ cert }) => cert),
      ['/b.pem', '/etc/willis/c.pem'],
    );
  });

  it('are not opened if they are null', () => {
    assert.deepEqual(load('roles: []\nlisten: {proxy: null, site: null}').listen.proxy, null);
  });

  it('do not share an address', () => {
    assert.deepEqual(problems('listen:\n  site: 127.0.0.1:3180\n  admin: "*:3180"'), [
      '3:10 listen.admin: expected an address of its own, got [::]:3180, taken by listen.site.',
    ]);
  });

  it('may share an address with the forward proxy where its role is not played', () => {
    assert.deepEqual(problems('roles: []\nlisten: {site: 127.0.0.1:3128}'), []);
  });

  it('are there for the roles and sites that need them', () => {
    const text = 'sites: [{host: a.example, origin: "http://b.example/"}]\nlisten:\n  proxy: null\n  site: null';
    assert.deepEqual(problems(text), [
      '3:10 listen.proxy: expected an address, because roles has clientSide, got nothing. Give an address, or take clientSide out of roles.',
      '4:9 listen.site: expected an address, because there are sites, got nothing. Give an address, or take the sites out.',
    ]);
  });

  it('are there for a directory, which answers on the public side', () => {
    assert.deepEqual(problems('roles: [wlis]\nlisten: {site: null}'), [
      '2:16 listen.site: expected an address, because roles has wlis, got nothing. Give an address, or take wlis out of roles.',
    ]);
  });

  it('are not all closed', () => {
    assert.deepEqual(problems('roles: []\nlisten: {site: null, admin: null}'), [
      '2:9 listen: expected at least one open listener, got none.',
    ]);
  });
});

describe('sites', () => {
  const site = (rest: string): Config['sites'][number] => {
    const [first] = load(`sites: [{host: a.example, origin: 'http://b.example/', ${rest}}]`).sites;
    assert.ok(first !== undefined, 'no first');
    return first;
  };

  it("send the client's Host by default where they stand for a whole host, the origin's where for a prefix", () => {
    assert.equal(site('').sendHost, 'client');
    assert.equal(site('prefix: /').sendHost, 'client');
    assert.equal(site('prefix: /npm/').sendHost, 'origin');
    assert.equal(site('prefix: /npm/, sendHost: client').sendHost, 'client');
    assert.equal(site('sendHost: origin').sendHost, 'origin');
  });

  it('have an origin in normal form', () => {
    const [first] = load("sites: [{host: WWW.A.example, origin: 'HTTPS://B.Example:443/x/'}]").sites;
    assert.equal(first?.host, 'www.a.example');
    assert.deepEqual(first.origin, {
      scheme: 'https',
      host: 'b.example',
      port: 443,
      authority: 'b.example',
      path: '/x/',
    });
  });

  it('are given once', () => {
    const text = `sites:
  - {host: a.example, origin: 'http://b.example/'}
  - {host: a.example, prefix: /x/, origin: 'http://b.example/'}
  - {host: A.example, origin: 'http://c.example/'}`;
    assert.deepEqual(problems(text), [
      '4:5 sites[2]: expected each host and prefix once, got "a.example" with "/" again, as in sites[0].',
    ]);
  });

  const wrongOrigins: [string, string][] = [
    ['ftp://b.example/', 'an http or https URL'],
    ['b.example', 'an http or https URL'],
    ['http://', 'an http or https URL'],
    ['http://b.example/x', "a URL whose path ends in '/'"],
    ['http://me:pw@b.example/', 'a URL without user and password'],
    ['http://b.example/?a', 'a URL without a query and a fragment'],
    ['http://b.example/#', 'a URL without a query and a fragment'],
    ['http://b.example/a b/', 'a URL without spaces and backslashes'],
  ];
  for (const [origin, expected] of wrongOrigins) {
    it(`do not come from ${origin}`, () => {
      const [problem = ''] = problems(`sites: [{host: a.example, origin: '${origin}'}]`);
      assert.ok(
        problem.startsWith(`1:35 sites[0].origin: expected ${expected}, got "${origin.replace('me:pw', '…')}".`),
        problem,
      );
    });
  }

  for (const prefix of ['', 'x', '/x', 'x/', '//', '/../', '/./', '/a?b/', '/a b/', '/é/']) {
    it(`do not have the prefix ${JSON.stringify(prefix)}`, () => {
      const [problem = ''] = problems(`sites: [{host: a.example, origin: 'http://b/', prefix: '${prefix}'}]`);
      assert.match(problem, /^1:56 sites\[0\]\.prefix: expected a path /);
    });
  }
});

describe('problems of a configuration', () => {
  it('are told all at once, in the order of lines, each with its key, what was expected and what is there', () => {
    const text = `listn: {}
cache:
  memory: 64M
  variants: 0
limits:
  headerTimeout: 15
  headers: "20"
log: {level: inf}
access:
  clients: [10.0.0.0/33]
sites:
  - host: a.example:80
    prefix: x
`;
    assert.deepEqual(problems(text), [
      "1:1 listn: expected one of roles, node, listen, access, limits, sites, upstream, cache, documents, primary, replicated, wlis, clientSide, log, got the unknown key 'listn'. Did you mean listen?",
      '3:11 cache.memory: expected a size such as 1500 (bytes), 32KiB, 64MiB or 10GiB, got "64M". Did you mean 64MiB?',
      '4:13 cache.variants: expected a whole number from 1 to 10000, got 0.',
      '6:18 limits.headerTimeout: expected a duration from 1ms to 24d, such as 500ms, 90s or 5m, got 15. Write 15s for seconds, 15ms for milliseconds.',
      '7:12 limits.headers: expected a whole number from 1 to 100000, got "20". Write it without quotes.',
      '8:14 log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "inf". Did you mean info?',
      '10:13 access.clients[0]: expected an IP address or a CIDR range such as 10.0.0.0/8, got "10.0.0.0/33".',
      '12:11 sites[0].host: expected a host name or IP address without a port, or \'*\' for any, got "a.example:80".',
      '13:13 sites[0].prefix: expected a path that starts and ends with \'/\', got "x". Did you mean /x/?',
    ]);
  });

  it('between keys are told together with those of single keys', () => {
    const found = problems('limits: {headers: 0}\nlisten: {site: 127.0.0.1:3180, proxy: x}');
    assert.equal(found.length, 3);
    assert.match(
      found.join('\n'),
      /limits\.headers.*\n.*listen\.admin: expected an address of its own.*\n.*listen\.proxy/s,
    );
  });

  it('name the right place of a key that stands in the wrong one', () => {
    assert.match(
      problems('memory: 1GiB').join(),
      /Did you mean cache\.memory or documents\.memory or wlis\.search\.memory\?$/,
    );
    assert.match(problems('keepAlive: 3s').join(), /Did you mean upstream\.keepAlive\?$/);
  });

  it('name what belongs together and is not there', () => {
    assert.match(
      problems("upstream: {proxy: {url: 'http://p:3128', user: a}}").join(),
      /upstream\.proxy\.passwordFile: expected the file with the password/,
    );
    assert.match(problems('node: {geo: {lat: 52.5}}').join(), /node\.geo\.lon: expected degrees, since the other half/);
    assert.match(
      problems("access: {rules: [{action: deny, users: ['*']}]}").join(),
      /access\.rules\[0\]\.users: expected none without access\.authentication\.usersFile/,
    );
  });

  it('are in the part of a value that was meant, where there are several forms', () => {
    assert.deepEqual(problems('listen:\n  site: {address: "*:443", tls: {cert: a, ky: b}}'), [
      '2:33 listen.site.tls.key: expected the path of a file, got nothing.',
      "2:43 listen.site.tls.ky: expected one of cert, key, got the unknown key 'ky'. Did you mean listen.site.tls.key?",
    ]);
    assert.deepEqual(problems('listen: {site: 5}'), [
      "1:16 listen.site: expected 'host:port', such as 127.0.0.1:3128, [::1]:3128 or *:80 or a map of 'address', 'tls' and 'proxyProtocol' or null, got 5.",
    ]);
  });

  it('are keys without a value where a map or a list is expected', () => {
    assert.match(problems('cache:\n').join(), /cache: expected a map of memory, .*, got nothing\. Leave the key out/);
    assert.match(problems('sites:\n').join(), /sites: expected a list, got nothing\. Leave the key out/);
  });

  it('are keys given twice, told together with the others', () => {
    assert.deepEqual(problems('limits:\n  headers: 3\n  headers: x\n'), [
      '3:3: expected each key once, got headers again.',
      '3:12 limits.headers: expected a whole number from 1 to 100000, got "x".',
    ]);
  });

  it('are errors of the YAML itself, with line and column', () => {
    const found = problems('cache:\n  memory: [1\nlog: {}\n');
    assert.match(found.join('\n'), /^3:1: expected well-formed YAML, got an error: /);
    assert.deepEqual(problems('---\nroles: []\n---\nroles: []\n'), ['3:1: expected one document, got another one.']);
    assert.match(problems('node: {name: !secret x}').join(), /1:14: expected well-formed YAML, .*!secret/);
  });

  it('are documents that are no map', () => {
    for (const text of ['- 1', 'hello', '5'])
      assert.match(problems(text).join(), /^1:1: expected a map of roles, node, /);
  });

  it('are aliases that multiply', () => {
    const level = (name: string, of: string): string => `${name}: &${name} [${Array(12).fill(of).join(', ')}]\n`;
    assert.match(problems(level('a', '1') + level('b', '*a') + level('c', '*b')).join(), /expected few aliases/);
  });

  it('are keys that objects of the language have by themselves', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      assert.match(problems(`${key}: 1`).join(), /^1:1 \w+: expected one of roles/, key);
    }
  });

  it('are errors of one kind whatever the text', () => {
    const word = fc.constantFrom(
      'listen',
      'sites',
      'proxy',
      'host',
      'cache',
      ':',
      ': ',
      '- ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
    );
    const other = fc.constantFrom(
      '"',
      '&a',
      '*a',
      '${X}',
      '${X:-y}',
      '#',
      '|',
      '127.0.0.1:80',
      '5',
      'null',
      '~',
      '!t',
      '?',
      '%',
    );
    fc.assert(fc.property(fc.array(fc.oneof(word, other)), (parts) => void problems(parts.join(''), { X: 'x' })));
  });
});

describe('variables of the environment', () => {
  it('take the place of ${NAME} in values', () => {
    const text = 'node: {name: "${A}-${B}"}\naccess:\n  clients:\n    - ${C}';
    const config = load(text, { A: 'x', B: 'y', C: '10.0.0.0/8' });
    assert.equal(config.node.name, 'x-y');
    assert.deepEqual(config.access.clients, ['10.0.0.0/8']);
  });

  it('give way to the default of ${NAME:-default} where they are unset or empty', () => {
    const text = 'node:\n  name: ${A:-${}b';
    assert.equal(load('node:\n  name: ${A:-one}', {}).node.name, 'one');
    assert.equal(load('node:\n  name: ${A:-one}', { A: '' }).node.name, 'one');
    assert.equal(load('node:\n  name: ${A:-one}', { A: 'two' }).node.name, 'two');
    assert.equal(load(text, {}).node.name, '${b');
  });

  it('are a problem where they are unset and have no default', () => {
    assert.deepEqual(problems('listen:\n  site: ${SITE}\nlimits: {headers: 0}'), [
      '2:9 listen.site: expected the environment variable SITE, got nothing. Set it, or give a default: ${SITE:-…}.',
      '3:19 limits.headers: expected a whole number from 1 to 100000, got 0.',
    ]);
    assert.deepEqual(problems('listen:\n  site: ${toString}').length, 1);
  });

  it('are a problem where the reference is malformed', () => {
    for (const text of ['${a-b}', '${', '${}', '${1}']) {
      assert.match(
        problems(`node: {name: '${text}'}`).join(),
        /^1:14 node\.name: expected \$\{NAME\} or \$\{NAME:-default\}/,
      );
    }
  });

  it('are numbers where they stand alone without quotes, and texts otherwise', () => {
    assert.equal(load('limits:\n  headers: ${N}', { N: '7' }).limits.headers, 7);
    assert.equal(load('node:\n  name: "${N}"', { N: '7' }).node.name, '7');
  });

  it('are never syntax, and not looked into again', () => {
    assert.equal(load('node: {name: "${A}"}', { A: '${B},x:' }).node.name, '${B},x:');
  });

  it('do not stand in keys', () => {
    assert.match(problems('${A}: 1', { A: 'roles' }).join(), /unknown key '\$\{A\}'/);
  });
});

describe('files that a configuration names', () => {
  it('are relative to its own directory, and listed with their keys', () => {
    const text = `
listen: {site: {address: '*:443', tls: [{cert: a.pem, key: /a.key}]}}
upstream: {ca: [../ca.pem]}
log: {access: {path: log/access.log}}
`;
    assert.deepEqual(filesNamedBy(load(text)), [
      { key: 'listen.site.tls[0].cert', path: '/etc/willis/a.pem', use: 'certificate' },
      { key: 'listen.site.tls[0].key', path: '/a.key', use: 'key' },
      { key: 'upstream.ca[0]', path: '/etc/ca.pem', use: 'authorities' },
      { key: 'log.access.path', path: '/etc/willis/log/access.log', use: 'append' },
    ]);
    assert.equal(loadConfig('log: {access: {path: x}}', 'a/b.yaml', {}).log.access.path, resolve('a/x'));
    assert.equal(loadConfig('node: {data: ../d}', 'a/b.yaml', {}).node.data, resolve('d'));
  });

  it('are found in the text again by their keys', () => {
    const loaded = loadWithPositions("listen:\n  site:\n    address: '*:443'\n    tls: {cert: a, key: b}\n", 'x', {});
    assert.deepEqual(loaded.positionOf('listen.site.tls[0].key'), { line: 4, column: 25 });
    assert.deepEqual(loaded.positionOf('log.access.path'), { line: 1, column: 1 });
  });
});
