import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.js';
import { bytes } from '../../config/units.js';
import type { Reload } from '../../proxy/admin/operator-control.js';
import { replicate } from '../../proxy/cli/replicate.js';
import type { Watch } from '../../proxy/cli/store.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { FakeReplication, mebibyte, statusOf } from '../admin/fake-replication.js';
import { OperatedWillis } from '../admin/operator-fixture.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { Terminal } from './terminal.js';

const url = 'https://a.example/manual/';
const from = 'https://primary.example';
const unwatched: Watch = { width: null, onEnd: () => () => undefined };

describe('the command that has a namespace replicated', () => {
  let directory: TempDir;
  let terminal: Terminal;
  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
  });
  afterEach(() => directory.remove());

  const read = (name = 'c.yaml'): string => readFileSync(join(directory.path, name), 'utf8');

  /** Runs it, and gives its exit code and what it said. */
  async function ran(
    options: Partial<Parameters<typeof replicate>[1]> = {},
    watch = unwatched,
    namespace: string = url,
  ) {
    Object.assign(terminal, { stdout: '', stderr: '' });
    const code = await replicate(namespace, { config: 'c.yaml', from, ...options }, terminal, watch);
    return { code, stdout: terminal.stdout, stderr: terminal.stderr };
  }

  describe('where no node runs', () => {
    const text = '# mine\nlisten: {admin: "127.0.0.1:1"}   # closed\nnode: {data: ./d}\n';
    beforeEach(() => directory.write('c.yaml', text));

    it('adds it to the file, in which all else stays as it was, and says what to start', async () => {
      const { code, stdout, stderr } = await ran();
      assert.deepEqual([code, stdout], [0, '']);
      assert.equal(stderr, `${url} is added to c.yaml.\nNo node runs by it. Start one: willis run --config c.yaml\n`);
      assert.equal(read(), `${text}\nreplicated:\n  namespaces:\n    - url: ${url}\n      from: ${from}\n`);
    });

    it('names the file of a token as the configuration does: from its directory', async () => {
      await directory.write('conf/c.yaml', text);
      await directory.write('conf/token', 'c2VjcmV0');
      await directory.write('token', 'c2VjcmV0');
      assert.equal((await ran({ config: 'conf/c.yaml', tokenFile: 'conf/token' })).code, 0);
      assert.match(read('conf/c.yaml'), /\n {6}tokenFile: token\n$/);
      const other = 'https://b.example/';
      assert.equal((await ran({ config: 'conf/c.yaml', tokenFile: 'token' }, unwatched, other)).code, 0);
      const config = loadConfig(read('conf/c.yaml'), join(directory.path, 'conf/c.yaml'), {});
      assert.deepEqual(
        config.replicated.namespaces.map(({ tokenFile }) => tokenFile),
        [join(directory.path, 'conf/token'), join(directory.path, 'token')],
      );
    });

    it('adds the root key that it is given, and takes no other in its place', async () => {
      const rootKey = 'mDCkGgCYyUB1Jiq0IGLR4ZgYhY3LVV8NyvNAPKz3Pq8';
      assert.equal((await ran({ rootKey })).code, 0);
      const { roots } = loadConfig(read(), join(directory.path, 'c.yaml'), {}).wlis.trust;
      assert.deepEqual(
        roots.map(({ origin, key }) => [origin.authority, key]),
        [['a.example', rootKey]],
      );
      const other = await ran({ rootKey: rootKey.replace('m', 'n') }, unwatched, 'https://a.example/other/');
      assert.deepEqual([other.code, /another root key/.test(other.stderr)], [1, true]);
      const wrong = await ran({ rootKey: 'short' }, unwatched, 'https://c.example/');
      assert.deepEqual([wrong.code, /--root-key: expected a key/.test(wrong.stderr)], [1, true]);
    });

    it('leaves the mode of the file, and the link through which it was reached', async () => {
      await directory.write('real/c.yaml', text);
      chmodSync(join(directory.path, 'real/c.yaml'), 0o664);
      symlinkSync('real/c.yaml', join(directory.path, 'linked.yaml'));
      assert.equal((await ran({ config: 'linked.yaml' })).code, 0);
      assert.equal(lstatSync(join(directory.path, 'linked.yaml')).isSymbolicLink(), true);
      assert.equal(statSync(join(directory.path, 'real/c.yaml')).mode & 0o777, 0o664);
      assert.match(read('real/c.yaml'), /namespaces/);
    });

    it('adds it once, in whatever spelling', async () => {
      await ran();
      const before = read();
      const { code, stderr } = await ran(
        { from: 'HTTPS://Primary.example:443/' },
        unwatched,
        'https://A.example:443/manual/',
      );
      assert.deepEqual([code, read()], [0, before]);
      assert.match(stderr, /^https:\/\/a\.example\/manual\/ stands already in c\.yaml\.\n/);
    });

    for (const [what, change, why] of [
      [
        'what is replicated from elsewhere',
        { from: 'https://other.example' },
        /c\.yaml:\d+ has \S+ from https:\/\/primary/,
      ],
      ['what is replicated with another token', { tokenFile: 'token' }, /c\.yaml:\d+ has .*: change it there/],
    ] as const) {
      it(`refuses ${what}, and says where that stands`, async () => {
        await directory.write('token', 'c2VjcmV0');
        await ran();
        const before = read();
        const { code, stderr } = await ran(change);
        assert.deepEqual([code, read()], [1, before]);
        assert.match(stderr, why);
      });
    }

    it('refuses what the node is the primary of', async () => {
      const own = `${text}primary: {namespaces: [{url: "${url}", directory: ./site}]}\n`;
      await directory.write('c.yaml', own);
      const { code, stderr } = await ran();
      assert.deepEqual([code, read()], [1, own]);
      assert.match(stderr, /by c\.yaml this node is the primary of https:\/\/a\.example\/manual\//);
    });

    for (const [what, options, namespace, why] of [
      ['a namespace that is none', {}, 'https://a.example/page', /is no namespace: a namespace ends in '\/'/],
      [
        'a node that is none',
        { from: 'primary.example' },
        url,
        /--from: expected an http or https URL, got 'primary\.ex/,
      ],
      ['a node with a path', { from: 'https://p.example/x/' }, url, /--from: expected a URL without a path/],
      ['a token that cannot be read', { tokenFile: 'none' }, url, /ENOENT.*none/],
    ] as const) {
      it(`refuses ${what}, and changes nothing`, async () => {
        const { code, stderr } = await ran(options, unwatched, namespace);
        assert.deepEqual([code, read()], [1, text]);
        assert.match(stderr, why);
      });
    }

    it('changes no configuration that cannot stand, and none that came with the program', async () => {
      await directory.write('c.yaml', 'lisen: {}\n');
      assert.deepEqual([(await ran()).code, read()], [2, 'lisen: {}\n']);
      assert.equal(await replicate(url, { from }, terminal, unwatched), 1);
      assert.match(
        terminal.stderr,
        /proxy\.config\.yaml came with the program; say which configuration is yours: --config FILE/,
      );
    });

    it('takes the configuration of the working directory if none is named', async () => {
      await directory.write('proxy.config.yaml', text);
      const { config, ...options } = { config: 'c.yaml', from };
      assert.equal(await replicate(url, options, terminal, unwatched), 0);
      assert.deepEqual([/namespaces/.test(read('proxy.config.yaml')), read(config)], [true, text]);
    });
  });

  describe('where a node runs by that file', () => {
    let replication: FakeReplication;
    let node: OperatedWillis;
    /** How the namespace fares once it is there. */
    let first: Partial<NamespaceReport>;
    let refusal: Error | null;
    let text: string;

    beforeEach(async () => {
      replication = new FakeReplication();
      first = { role: 'replica', state: 'in-step' };
      refusal = null;
      const reread = (): Promise<Reload> => {
        const config = loadConfig(read(), join(directory.path, 'c.yaml'), {});
        if (refusal !== null) return Promise.reject(refusal);
        replication.held = config.replicated.namespaces.map((one) => statusOf(one.url, first));
        return Promise.resolve({ changes: [] });
      };
      node = await OperatedWillis.start({}, { replication, reread });
      text = `listen:\n  admin: 127.0.0.1:${node.port}\n`;
      await directory.write('c.yaml', text);
    });
    afterEach(() => node.stop());

    it('has it taken up, and says what is there when it is in step', async () => {
      const { code, stdout, stderr } = await ran();
      assert.deepEqual([code, stderr], [0, `${url} is added to c.yaml.\n`]);
      assert.equal(stdout, `${url} is in step, at change 812: 1,204 documents, 5 MiB.\n`);
    });

    it('shows how it is taken over: what it waits for, and how much is here', async () => {
      first = {
        role: 'replica',
        state: 'joining',
        reason: 'the primary does not admit this node\n',
        totalBytes: bytes(0),
      };
      const running = ran();
      await until(() => terminal.stderr.includes('joining'));
      const behind = { state: 'behind', bytes: bytes(mebibyte), totalBytes: bytes(4 * mebibyte) } as const;
      replication.held = [statusOf(url, { role: 'replica', ...behind })];
      await until(() => terminal.stderr.includes('behind'));
      replication.held = [statusOf(url, { role: 'replica' })];
      const { code, stderr } = await running;
      assert.equal(code, 0);
      assert.deepEqual(stderr.split('\n').slice(1), [
        'joining: the primary does not admit this node\\x0a',
        'behind',
        'taking over: 25 %, 1 MiB of 4 MiB',
        '',
      ]);
    });

    it('draws a bar on a terminal', async () => {
      first = { role: 'replica', state: 'behind', bytes: bytes(mebibyte), totalBytes: bytes(4 * mebibyte) };
      const running = ran({}, { ...unwatched, width: () => 80 });
      await until(() => terminal.stderr.includes('25 %'));
      replication.held = [statusOf(url, { role: 'replica' })];
      const { stderr } = await running;
      assert.match(stderr, /\n\rtaking over {2}█+░+ {2}25 % {2}1 MiB of 4 MiB\x1b\[K/); // eslint-disable-line no-control-regex -- the bar is drawn with it
    });

    it('ends with 1 by Ctrl-C, and the node goes on', async () => {
      first = { role: 'replica', state: 'behind' };
      let interrupt: () => void = () => assert.fail('nobody listens');
      const onEnd: Watch['onEnd'] = (end) => {
        interrupt = end;
        return () => undefined;
      };
      const running = ran({}, { width: null, onEnd });
      await until(() => terminal.stderr.includes('behind'));
      interrupt();
      const { code, stderr } = await running;
      assert.equal(code, 1);
      assert.match(stderr, /willis: it goes on in the node; see willis status https:\/\/a\.example\/manual\/\n$/);
      assert.match(read(), /namespaces/);
    });

    it('puts the file back if the node refuses it, and says why', async () => {
      refusal = new Error('replicated.namespaces[0]: there is no room');
      const { code, stderr } = await ran();
      assert.deepEqual([code, read()], [2, text]);
      assert.match(stderr, /there is no room.*\nc\.yaml is as it was\.\n$/);
    });

    it('says so if the node runs by another file', async () => {
      await directory.write('other.yaml', text);
      const { code, stderr } = await ran({ config: 'other.yaml' });
      assert.equal(code, 1);
      assert.match(
        stderr,
        /the node that answers at listen\.admin of other\.yaml does not run by that file: .*is not held/,
      );
    });

    it('shows it again for a namespace that is there already', async () => {
      await ran();
      const { code, stdout } = await ran();
      assert.equal(code, 0);
      assert.match(stdout, /is in step/);
    });
  });
});
