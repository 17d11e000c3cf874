import assert from 'node:assert/strict';
import { checkAs, type CheckAsOptions } from '../../proxy/cli/check-as.js';
import { passwordLine, tokenLine } from '../access/known-users.js';
import { TempDir } from '../support/temp-dir.js';
import { Terminal } from './terminal.js';

const config = `access:
  clients: [10.0.0.0/8]
  authentication: {usersFile: users}
  rules:
    - {action: deny, hosts: [games.example, "*.games.example"], ports: [80]}
    - {action: allow, hosts: [free.invalid, 127.0.0.1]}
    - {action: deny, users: [bob], paths: [/private/]}
    - {action: allow, sides: [proxy, site], methods: [PURGE], clients: [10.0.0.7]}
    - {action: deny, sides: [site], paths: ["/admin/"]}
  destinations: {allow: [192.0.2.1]}
sites:
  - {host: www.example.org, origin: "http://127.0.0.1:8000/"}
  - {host: app.example.org, prefix: /v1/, origin: "http://127.0.0.1:8000/app/"}
cache:
  rules:
    - {match: "*://www.example.org/static/", store: false}
`;

/** Which gate has the last word. */
function titleOf(as: string, url: string, { method = '' }: Partial<CheckAsOptions>, said: RegExp): string {
  const [, mark = '', gate = ''] = /([✗·]) (\w+)/.exec(said.source) ?? [];
  return `the gate '${gate}' ${mark === '✗' ? 'refuses' : 'is the last one for'} ${`${method} ${url}`.trim()} by ${as}`;
}

describe('willis check --as', () => {
  let directory: TempDir;
  before(async () => {
    directory = await TempDir.create();
    await directory.write('c.yaml', config);
    await directory.write(
      'users',
      [passwordLine('alice', 'x'), passwordLine('bob', 'x'), tokenLine('ci', 't')].join('\n'),
    );
  });
  after(() => directory.remove());

  const run = async (
    as: string,
    url: string,
    options: Partial<CheckAsOptions> = {},
  ): Promise<{ code: number; terminal: Terminal }> => {
    const terminal = new Terminal(directory.path);
    const code = await checkAs({ as, url, file: 'c.yaml', ...options }, terminal);
    return { code, terminal };
  };

  /** Whether it may be made, the gate that says no or the last one, and what that says. */
  const says = async (as: string, url: string, options: Partial<CheckAsOptions> = {}): Promise<string> => {
    const { code, terminal } = await run(as, url, options);
    const lines = terminal.stdout.split('\n').filter((line) => line.startsWith('  '));
    const verdict = terminal.stdout.trimEnd().split('\n').at(-1) ?? '';
    assert.equal(code === 0, verdict === 'Allowed.');
    assert.deepEqual(lines.map((line) => line.includes('✗')).indexOf(true), code === 0 ? -1 : lines.length - 1);
    return `${code} ${lines.at(-1)?.trim().replace(/ +/g, ' ') ?? ''}`;
  };

  it('tells each gate that lets a request through, with the line where it stands, and the verdict', async () => {
    const { code, terminal } = await run('10.0.0.1,user=alice', 'http://192.0.2.1/static/');
    assert.equal(code, 0);
    assert.equal(
      terminal.stdout,
      `GET http://192.0.2.1/static/
by alice at 10.0.0.1, forward proxy

  ✓ client       10.0.0.1 is in access.clients (c.yaml:2)
  ✓ user         no rule decides; alice is in access.authentication.usersFile (c.yaml:3)
  ✓ rule         none decides, so it may pass
  ✓ destination  192.0.2.1
  · cache        no rule of the cache governs it

Allowed.
`,
    );
  });

  it('ends with the gate that refuses, and says with which answer', async () => {
    const { code, terminal } = await run('10.0.0.1', 'http://games.example/');
    assert.equal(code, 1);
    assert.match(
      terminal.stdout,
      /✗ rule +access\.rules\[0\] \(c\.yaml:5\): deny hosts games\.example, \*\.games\.example; ports 80\n/,
    );
    assert.match(terminal.stdout, /\n\nAnswered with 403 \(access-denied\): .*\n$/);
  });

  const onProxy: readonly (readonly [as: string, url: string, options: Partial<CheckAsOptions>, said: RegExp])[] = [
    ['11.0.0.1', 'http://free.invalid/', {}, /^1 ✗ client 11\.0\.0\.1 is not in access\.clients \(c\.yaml:2\)$/],
    ['10.0.0.1', 'http://192.0.2.1/', {}, /^1 ✗ user no rule decides, so the client is asked who it is; /],
    ['10.0.0.1', 'http://192.0.2.1/x/../%70rivate/', {}, /^1 ✗ user depends on access\.rules\[2\] \(c\.yaml:7\), /],
    ['10.0.0.1,user=bob', 'http://192.0.2.1/private/', {}, /^1 ✗ rule access\.rules\[2\] .*: deny users bob; paths /],
    ['10.0.0.1,user=ci', 'http://192.0.2.1/private/', {}, /^0 · cache /],
    ['10.0.0.1,user=eve', 'http://192.0.2.1/', {}, /^1 ✗ user .*; eve is not in access\.authentication\.usersFile /],
    ['10.0.0.1', 'https://127.0.0.1/', {}, /^1 ✗ destination 127\.0\.0\.1 is refused .*loopback/],
    [
      '10.0.0.1',
      'https://free.invalid:8443/',
      {},
      /^1 ✗ tunnel port 8443 is not in access\.connectPorts \(by default\)$/,
    ],
    ['10.0.0.1', 'http://free.invalid/', { method: 'get' }, /^1 ✗ destination free\.invalid could not be resolved/],
    ['10.0.0.7,user=bob', 'http://192.0.2.1/', { method: 'PURGE' }, /^0 · purge is performed here/],
  ];
  for (const [as, url, options, said] of onProxy) {
    it(titleOf(as, url, options, said), async () => {
      assert.match(await says(as, url, options), said);
    });
  }

  const onSite: readonly (readonly [as: string, url: string, options: Partial<CheckAsOptions>, said: RegExp])[] = [
    [
      '192.0.2.9',
      'http://www.example.org/static/x',
      {},
      /^0 · cache cache\.rules\[0\] \(c\.yaml:16\): .*, nothing is stored$/,
    ],
    ['192.0.2.9', 'http://www.example.org/a/..//admin/', {}, /^1 ✗ rule access\.rules\[4\] /],
    ['192.0.2.9', 'http://other.example.org/', {}, /^1 ✗ site no site is called other\.example\.org$/],
    ['192.0.2.9', 'http://app.example.org/v2/', {}, /^1 ✗ site no site has http:\/\/app\.example\.org\/v2\/$/],
    ['192.0.2.9', 'http://app.example.org/v1/..%2fx', {}, /^1 ✗ site ambiguous dot segments$/],
    ['10.0.0.7', 'http://www.example.org/', { method: 'PURGE' }, /^0 · purge is performed here/],
    ['192.0.2.9', 'http://www.example.org/', { method: 'CONNECT' }, /^1 ✗ tunnel the public side opens no tunnels$/],
  ];
  for (const [as, url, options, said] of onSite) {
    it(`${titleOf(as, url, options, said)}, on the public side`, async () => {
      assert.match(await says(as, url, { side: 'site', ...options }), said);
    });
  }

  it('judges what goes through a parent proxy by its name, which the parent resolves', async () => {
    await directory.write(
      'parent.yaml',
      'access: {clients: [10.0.0.1], destinations: {deny: [private, bad.example]}}\nupstream: {proxy: {url: "http://proxy.example:3128"}}\n',
    );
    const through = { file: 'parent.yaml' };
    assert.match(
      await says('10.0.0.1', 'https://nowhere.invalid/', through),
      /^0 ✓ destination nowhere\.invalid through the parent proxy http:\/\/proxy\.example:3128, /,
    );
    assert.match(await says('10.0.0.1', 'https://bad.example/', through), /^1 ✗ destination bad\.example is refused/);
    assert.match(await says('10.0.0.1', 'https://10.0.0.9/', through), /^1 ✗ destination 10\.0\.0\.9 is refused/);
  });

  it('is about the public side where no forward proxy is opened', async () => {
    await directory.write('site.yaml', 'roles: []\nsites: [{host: "*", origin: "http://127.0.0.1:8000/"}]\n');
    assert.match(await says('10.0.0.1', 'https://x.example/', { file: 'site.yaml' }), /^0 · cache /);
    const { code, terminal } = await run('10.0.0.1', 'http://x/', { file: 'site.yaml', side: 'proxy' });
    assert.equal(code, 2);
    assert.match(terminal.stderr, /opens no forward proxy/);
  });

  it('says with 2 what it does not understand, or if the configuration cannot stand', async () => {
    const wrong: readonly (readonly [string, string, Partial<CheckAsOptions>, RegExp])[] = [
      ['10.0.1', 'http://x/', {}, /^willis check: --as: expected an IP address, /],
      ['10.0.0.1,name=x', 'http://x/', {}, /--as: expected an IP address/],
      ['10.0.0.1,user=a b', 'http://x/', {}, /--as: 'a b' cannot be the name of a user/],
      ['10.0.0.1', 'x.example', {}, /expected an http or https URL, got 'x\.example'/],
      ['10.0.0.1', '/x', {}, /expected an http or https URL, got '\/x'/],
      ['10.0.0.1', 'http://x/%', {}, /invalid percent-encoding/],
      ['10.0.0.1', 'http://x/', { method: 'GE T' }, /--method: expected a method of HTTP/],
      ['10.0.0.1', 'http://x/', { side: 'admin' }, /--side: expected proxy or site/],
      ['10.0.0.1', 'http://x/', { file: 'none.yaml' }, /^none\.yaml: there is no such file/],
    ];
    for (const [as, url, options, said] of wrong) {
      const { code, terminal } = await run(as, url, options);
      assert.equal(code, 2, as);
      assert.match(terminal.stderr, said);
    }
    await directory.write('bad-users.yaml', 'access: {authentication: {usersFile: c.yaml}}');
    const { code, terminal } = await run('10.0.0.1', 'http://x/', { file: 'bad-users.yaml' });
    assert.equal(code, 2);
    assert.match(terminal.stderr, /^bad-users\.yaml:1:38 access\.authentication\.usersFile: expected .*c\.yaml:1\)/);
  });
});
