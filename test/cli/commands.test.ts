import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.js';
import { check } from '../../proxy/cli/check.js';
import { printConfig } from '../../proxy/cli/config.js';
import { TempDir } from '../support/temp-dir.js';
import { runWillis, type EndedWillis } from '../support/willis-program.js';
import { Terminal } from './terminal.js';

describe('the commands check and config', () => {
  let directory: TempDir;
  let terminal: Terminal;
  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
  });
  afterEach(() => directory.remove());

  it('take proxy.config.yaml of the working directory where no file is given', async () => {
    await directory.write('proxy.config.yaml', 'node: {name: here}');
    assert.equal(check(undefined, terminal), 0);
    assert.equal(terminal.stdout, 'proxy.config.yaml: ok\n');
    assert.equal(printConfig(undefined, terminal), 0);
    assert.match(terminal.stdout, /name: here/);
  });

  it('take the file that came with the program where there is none', () => {
    assert.equal(check(undefined, terminal), 0);
    assert.match(terminal.stdout, /^\/.*proxy\.config\.yaml: ok\n$/);
  });

  it('find what is wrong with namespaces, which a node would refuse', async () => {
    const lines = [
      'primary:',
      '  namespaces:',
      "    - {url: 'http://a.example/', directory: ., headers: [{match: '**', set: {Content-Length: '1'}}]}",
      'replicated:',
      '  namespaces:',
      "    - {url: 'https://b.example/', from: 'http://b.example'}",
    ];
    await directory.write('n.yaml', lines.join('\n'));
    assert.equal(check('n.yaml', terminal), 2);
    const [first = '', second = ''] = terminal.stderr.split('\n');
    assert.match(
      first,
      /^n\.yaml:3:\d+ primary\.namespaces\[0\]\.headers\[0\]\.set: expected fields .*, got Content-Length/,
    );
    assert.match(second, /^n\.yaml:6:\d+ replicated\.namespaces\[0\]\.from: expected an https URL/);
  });

  it('print every problem to standard error and end with 2', async () => {
    await directory.write('a/b.yaml', 'cahce: {}\nlimits: {headers: 0}\n');
    assert.equal(check('a/b.yaml', terminal), 2);
    assert.equal(printConfig('a/b.yaml', terminal), 2);
    assert.equal(terminal.stdout, '');
    const [first = '', second = ''] = terminal.stderr.split('\n');
    assert.match(first, /^a\/b\.yaml:1:1 cahce: expected .*, got the unknown key 'cahce'\. Did you mean cache\?$/);
    assert.match(second, /^a\/b\.yaml:2:19 limits\.headers: expected /);
  });

  it('say so where there is no such file, or no file at all', () => {
    assert.equal(check('none.yaml', terminal), 2);
    assert.equal(check('.', terminal), 2);
    assert.match(terminal.stderr, /^none\.yaml: there is no such file\.\n.*: this is a directory; /);
  });

  it('config prints YAML that loads to what is in effect', async () => {
    const text = 'node: {name: "${NAME}"}\nlog: {access: {path: x.log}}\n';
    const path = await directory.write('c.yaml', text);
    terminal.environment['NAME'] = 'n';
    assert.equal(printConfig('c.yaml', terminal), 0);
    assert.deepEqual(loadConfig(terminal.stdout, path, {}), loadConfig(text, path, { NAME: 'n' }));
  });
});

describe('the files that willis check looks at', () => {
  let directory: TempDir;
  let terminal: Terminal;
  before(async () => {
    directory = await TempDir.create();
    for (const name of ['a', 'b']) {
      const files = ['-keyout', join(directory.path, `${name}.key`), '-out', join(directory.path, `${name}.pem`)];
      const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}.example`];
      execFileSync('openssl', ['req', '-x509', ...what, ...files, '-days', '2'], { stdio: 'ignore' });
    }
  });
  after(() => directory.remove());
  beforeEach(() => {
    terminal = new Terminal(directory.path);
  });

  const checkText = async (text: string): Promise<string> => {
    await directory.write('c.yaml', text);
    const code = check('c.yaml', terminal);
    assert.equal(code, terminal.stderr === '' ? 0 : 2);
    return terminal.stderr.replaceAll(directory.path, '');
  };
  const site = (pairs: string): string => `listen:\n  site: {address: '*:443', tls: ${pairs}}\n`;

  it('are well if certificates and keys are there and belong together', async () => {
    const text = `${site('[{cert: a.pem, key: a.key}, {cert: b.pem, key: b.key}]')}upstream: {ca: [a.pem]}\n`;
    assert.equal(await checkText(text), '');
  });

  it('are told with line and key where they are missing', async () => {
    const told = await checkText(`${site('{cert: c.pem, key: a.key}')}upstream: {ca: [x.pem]}\n`);
    assert.match(told, /^c\.yaml:2:40 listen\.site\.tls\[0\]\.cert: expected a readable file, got \/c\.pem \(ENOENT/);
    assert.match(told, /\nc\.yaml:3:17 upstream\.ca\[0\]: expected a readable file, got \/x\.pem \(ENOENT/);
    assert.equal(told.split('\n').length, 3);
  });

  it('are told where a key belongs to another certificate', async () => {
    const told = await checkText(site('{cert: a.pem, key: b.key}'));
    assert.match(
      told,
      /^c\.yaml:2:52 listen\.site\.tls\[0\]\.key: expected the key of the certificate in \/a\.pem, got \/b\.key \(/,
    );
  });

  it('are told where they are no PEM', async () => {
    const told = await checkText(site('{cert: c.yaml, key: c.yaml}'));
    assert.match(told, /cert: expected a certificate in PEM.*\n.*key: expected a private key in PEM/);
  });

  it('include the access log, which must be writable', async () => {
    assert.equal(await checkText('log: {access: {path: new.log}}'), '');
    const told = await checkText('log: {access: {path: none/new.log}}');
    assert.match(
      told,
      /^c\.yaml:1:22 log\.access\.path: expected a file that can be written, got \/none\/new\.log \(ENOENT/,
    );
  });
});

describe('the program willis', () => {
  let directory: TempDir;
  before(async () => {
    directory = await TempDir.create();
  });
  after(() => directory.remove());

  const willis = (...words: string[]): Promise<EndedWillis> => runWillis(directory.path, words);

  it('checks a configuration given as argument or option', async () => {
    await directory.write('bad.yaml', 'x: 1');
    const [argument, option] = await Promise.all([
      willis('check', 'bad.yaml'),
      willis('check', '--config', 'bad.yaml'),
    ]);
    assert.deepEqual(argument, option);
    assert.equal(argument.code, 2);
    assert.match(argument.stderr, /^bad\.yaml:1:1 x: expected /);
  });

  it('prints its version, its help and the schema, and refuses what it does not know with 1', async () => {
    const [version, help, schema, unknown] = await Promise.all([
      willis('--version'),
      willis('--help'),
      willis('config', '--schema'),
      willis('rnu'),
    ]);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.match(help.stdout, /run.*check.*config/s);
    assert.equal((JSON.parse(schema.stdout) as { type: string }).type, 'object');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /Did you mean run\?/);
  });
});
