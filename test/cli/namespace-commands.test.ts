import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bytes, epochMs, milliseconds } from '../../config/units.js';
import type { NamespaceView } from '../../proxy/admin/namespace-view.js';
import { changed } from '../../proxy/cli/changed.js';
import { lag, type LagTerminal } from '../../proxy/cli/lag.js';
import { namespaceStatus } from '../../proxy/cli/namespace-status.js';
import { namespaces } from '../../proxy/cli/namespaces.js';
import { promote } from '../../proxy/cli/promote.js';
import { stats } from '../../proxy/cli/stats.js';
import type { Watch } from '../../proxy/cli/store.js';
import { plainStyle } from '../../proxy/cli/text-style.js';
import { epoch, FakeReplication, mebibyte, replicaOf, root, statusOf } from '../admin/fake-replication.js';
import { OperatedWillis } from '../admin/operator-fixture.js';
import { until } from '../support/waiting.js';
import { runWillis } from '../support/willis-program.js';
import { Terminal } from './terminal.js';

const text = { style: plainStyle, width: 200 };
const mine = 'http://a.example/';
const theirs = 'http://b.example/manual/';
const late = { held: { epoch, seq: 810 }, lag: { changes: 2, time: milliseconds(3000) } };

describe('the commands for namespaces', () => {
  let replication: FakeReplication;
  let node: OperatedWillis;
  let terminal: Terminal;
  let there: { admin: string };

  before(async () => {
    replication = new FakeReplication();
    node = await OperatedWillis.start({}, { replication });
    there = { admin: `http://127.0.0.1:${node.port}` };
  });
  after(() => node.stop());
  beforeEach(() => {
    terminal = new Terminal('.');
    replication.done.length = 0;
    replication.scanned = {};
    replication.held = [
      statusOf(mine, {}, { replicas: [replicaOf('m1'), replicaOf('m2', late)] }),
      statusOf(theirs, {
        ...{ role: 'replica', state: 'behind', reason: 'contents wait for their window, at 03:00 UTC' },
        version: { epoch, seq: 98, root },
        known: { epoch, seq: 100 },
        ...{ documents: 20, bytes: bytes(1024), totalBytes: bytes(mebibyte) },
        lag: { changes: 2, time: milliseconds(90_000) },
        ...{ parent: 'https://m1.example', ancestors: ['https://m1.example', 'https://primary.example'] },
        activeUntil: epochMs(Date.parse('2026-01-02T03:04:05Z')),
        counters: {
          ...{ changes: 98, bytesPulled: bytes(2048), bytesSpared: bytes(512), refused: { 'wrong-digest': 3 } },
          ...{ notificationsReceived: 7, notificationsSent: 0, notificationsFailed: 0 },
        },
      }),
    ];
  });

  const unwatched: Watch = { width: null, onEnd: () => () => undefined };
  const seen: LagTerminal = { text, watch: unwatched };

  /** Runs a command that ends so, and gives what it printed. */
  async function ending(code: number, command: Promise<number>): Promise<string> {
    assert.deepEqual([await command, terminal.stderr], [code, code === 0 ? '' : terminal.stderr]);
    return terminal.stdout;
  }

  describe('namespaces', () => {
    it('shows a table, with reasons below it', async () => {
      assert.equal(
        await ending(0, namespaces(there, terminal, text)),
        [
          'namespace                 role     state    seq  documents           bytes  lag                    parent',
          'http://a.example/         primary  in step  812      1,204           5 MiB  none                   -',
          'http://b.example/manual/  replica  behind    98         20  1 KiB of 1 MiB  2 changes, 1 min 30 s  https://m1.example',
          '',
          'http://b.example/manual/: contents wait for their window, at 03:00 UTC',
          '',
        ].join('\n'),
      );
    });

    it('prints the reports with --json', async () => {
      const shown = JSON.parse(await ending(0, namespaces({ ...there, json: true }, terminal, text))) as unknown;
      assert.deepEqual(shown, JSON.parse(JSON.stringify(replication.namespaces())));
    });

    it('says so where there are none', async () => {
      replication.held = [];
      assert.match(await ending(0, namespaces(there, terminal, text)), /^This node holds no namespace/);
    });
  });

  describe('status', () => {
    const shown = (namespace: string, code = 0): Promise<string> =>
      ending(code, namespaceStatus(namespace, there, terminal, text));

    it('tells of a replica what it holds, where it pulls from, and what came of it', async () => {
      assert.equal(
        await shown(theirs),
        `http://b.example/manual/, replica, behind: contents wait for their window, at 03:00 UTC

  holds          change 98 of epoch ${epoch}
  root           ${root}
  newest known   change 100
  documents      20; 1 KiB of 1 MiB of content is here
  lag            2 changes, 1 min 30 s
  confirmed      2 s ago
  primary        https://primary.example
  pulls from     https://m1.example
  else from      https://primary.example
  admitted       until 2026-01-02 03:04:05 UTC
  since start    98 changes taken; 2 KiB pulled, 512 B spared
  notifications  7 received, 0 sent, 0 failed
  refused        3 wrong-digest
`,
      );
    });

    it('tells of a primary its replicas, and what is the matter with its source', async () => {
      const problem = { code: 'source-held', message: '120 of 200 documents are gone' } as const;
      const source = {
        ...{ problem, heldRemovals: 120, watchedDirectories: 4 },
        refused: [['\x1b[31m/x', 'loop']] as const,
        unsettled: Array.from({ length: 12 }, (_, i) => `${i}.iso`),
        unreadable: [],
      };
      const replicas = [
        replicaOf('m1'),
        replicaOf('m2', { ...late, parent: replicaOf('m1').id }),
        replicaOf('m3', { isActive: false, held: null, urls: [] }),
      ];
      replication.held = [statusOf(mine, { state: 'held' }, { source, replicas })];
      const told = await shown(mine);
      assert.match(told, /^http:\/\/a\.example\/, primary, held\n\n/);
      assert.match(told, /\n {2}problem {8}120 of 200 documents are gone\n/);
      assert.match(told, /\n {2}held {11}120 removals; .*willis changed http:\/\/a\.example\/ --allow-removals\n/);
      assert.match(told, /\n {2}unpublished {4}\\x1b\[31m\/x \(loop\)\n/);
      assert.match(told, /\n {2}being written {2}0\.iso\n(?: {17}\d\.iso\n){9} {17}and 2 more\n/);
      assert.match(told, /\n {2}replica +access +state +holds +lag +pulls from\n/);
      assert.match(told, /\n {2}https:\/\/m1\.example +listed +in step +812 +none +primary\n/);
      assert.match(told, /\n {2}https:\/\/m2\.example +listed +behind +810 +2 changes, 3 s +https:\/\/m1\.example\n/);
      assert.match(told, /\n {2}m3A+ +listed +not heard of +- +none +primary\n$/);
    });

    it('prints the answer of the node with --json', async () => {
      const told = await ending(0, namespaceStatus(mine, { ...there, json: true }, terminal, text));
      assert.equal((JSON.parse(told) as NamespaceView).replicas?.length, 2);
    });

    it('fails and says why for what is not held, and for what is no namespace', async () => {
      await shown('http://c.example/', 1);
      assert.match(terminal.stderr, /^willis: There is nothing here\. http:\/\/c\.example\/ is not held here/);
      terminal.stderr = '';
      await shown('http://a.example/page', 1);
      assert.match(terminal.stderr, /a namespace ends in '\/'/);
    });
  });

  describe('lag', () => {
    const inStep = () => [statusOf(mine, {}, { replicas: [replicaOf('m1'), replicaOf('m2')] })];

    it('ends with 0 if all replicas are in step, and with 1 if one is not', async () => {
      assert.equal(
        await ending(1, lag(mine, there, terminal, seen)),
        [
          'http://a.example/ at change 812: 1 of 2 replicas in step',
          '',
          '  replica             access  state    holds  lag             pulls from',
          '  https://m1.example  listed  in step    812  none            primary',
          '  https://m2.example  listed  behind     810  2 changes, 3 s  primary',
          '',
        ].join('\n'),
      );
      replication.held = inStep();
      terminal.stdout = '';
      assert.match(
        await ending(0, lag(undefined, there, terminal, seen)),
        /^http:\/\/a\.example\/ at change 812: 2 of 2/,
      );
    });

    it('waits for nobody who was not heard of in time', async () => {
      const silent = replicaOf('m2', { ...late, isActive: false });
      replication.held = [statusOf(mine, {}, { replicas: [replicaOf('m1'), silent] })];
      const said = /1 of 1 replica in step; 1 replica not heard of\n/;
      assert.match(await ending(0, lag(mine, there, terminal, seen)), said);
      assert.equal(await lag(mine, { ...there, wait: true }, terminal, seen), 0);
      assert.match(terminal.stdout, /all replicas hold change 812/);
    });

    it('of a primary that has no head yet is not in step', async () => {
      replication.held = [statusOf(mine, { version: null, known: null })];
      assert.match(await ending(1, lag(mine, there, terminal, seen)), /has no head yet/);
    });

    it('prints how many are where with --json', async () => {
      const told = JSON.parse(await ending(1, lag(undefined, { ...there, json: true }, terminal, seen))) as unknown;
      assert.deepEqual(told, [
        {
          ...{ namespace: mine, version: { epoch, seq: 812 }, replicas: { 'in-step': 1, behind: 1, silent: 0 } },
          behind: { count: 1, first: ['https://m2.example'] },
        },
      ]);
    });

    it('waits with --wait until all are in step', async () => {
      const waiting = lag(mine, { ...there, wait: true }, terminal, seen);
      await until(() => replication.waiting === 1);
      replication.change(inStep());
      assert.equal(await waiting, 0);
      assert.equal(terminal.stdout, 'http://a.example/: all replicas hold change 812.\n');
    });

    it('ends with 1 when its time is over, and says who is behind; the node waits no longer', async () => {
      assert.equal(await lag(mine, { ...there, wait: true, timeout: '100ms' }, terminal, seen), 1);
      assert.equal(terminal.stdout, '');
      assert.equal(
        terminal.stderr,
        [
          'http://a.example/ at change 812: 1 of 2 replicas in step',
          'willis: ended before all replicas were in step',
          '  https://m2.example is behind in http://a.example/',
          '',
        ].join('\n'),
      );
      await until(() => replication.waiting === 0);
    });

    it('ends when its time is over, however much garbage is collected meanwhile', async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const ended = lag(mine, { ...there, wait: true, timeout: '300ms' }, terminal, seen);
      await until(() => replication.waiting === 1);
      collect();
      assert.equal(await ended, 1);
    });

    it('ends with 1 by Ctrl-C', async () => {
      let interrupt: () => void = () => assert.fail('nobody listens');
      const watch: Watch = {
        width: null,
        onEnd: (end) => {
          interrupt = end;
          return () => undefined;
        },
      };
      const waiting = lag(mine, { ...there, wait: true }, terminal, { text, watch });
      await until(() => replication.waiting === 1);
      interrupt();
      assert.equal(await waiting, 1);
    });

    it('ends with 2 if that cannot be told: at a replica, without a node, or for a time that is none', async () => {
      for (const [namespace, options, why] of [
        [theirs, there, /is only replicated here: ask its primary, https:\/\/primary\.example/],
        [theirs, { ...there, wait: true }, /is only replicated here: ask its primary, https:\/\/primary\.example/],
        [undefined, { admin: 'http://127.0.0.1:1' }, /nobody listens there/],
        [mine, { ...there, wait: true, timeout: '60' }, /--timeout: expected a duration such as 60s, got '60'/],
        [mine, { ...there, timeout: '60s' }, /--timeout goes with --wait/],
      ] as const) {
        terminal.stderr = '';
        assert.equal(await lag(namespace, options, terminal, seen), 2);
        assert.match(terminal.stderr, why);
      }
    });
  });

  describe('changed', () => {
    const asked = (namespace: string | undefined, options: Parameters<typeof changed>[1] = {}): Promise<number> =>
      changed(namespace, { ...there, ...options }, terminal, unwatched);

    it('has what has changed published, and says what that was', async () => {
      const named = Array.from({ length: 25 }, (_, i) => ({ path: `${i}\n.html`, is: 'published' as const }));
      replication.scanned = {
        ...{
          published: 40,
          removed: 1,
          named: [{ path: '', is: 'published' }, { path: 'old', is: 'removed' }, ...named],
        },
        ...{ version: { epoch, seq: 853 }, unsettled: 2 },
      };
      const lines = (await ending(1, asked(mine))).split('\n');
      assert.equal(lines[0], 'http://a.example/: 40 documents published, 1 document removed; it is at change 853');
      assert.deepEqual(lines.slice(1, 4), ['  + ./', '  - old', '  + 0\\x0a.html']);
      assert.deepEqual(lines.slice(21), ['  and 21 more', '  2 files still being written', '']);
      assert.deepEqual(replication.done, [`scan ${mine}`]);
    });

    it('takes all that the node publishes where none is named', async () => {
      const told = await ending(0, asked(undefined));
      assert.equal(told, 'http://a.example/: nothing has changed; it is at change 812\n');
    });

    it('ends with 1 if files are being written, removals wait to be allowed, or something keeps it from being published', async () => {
      replication.scanned = { unsettled: 1 };
      assert.match(await ending(1, asked(mine)), /1 file still being written\n/);
      replication.scanned = { held: 120 };
      assert.match(await ending(1, asked(mine)), /120 removals wait to be allowed: --allow-removals publishes them\n/);
      replication.scanned = { problem: 'the directory /srv is gone' };
      assert.match(await ending(1, asked(mine)), /\n {2}the directory \/srv is gone\n/);
    });

    it('allows removals with --allow-removals, of a namespace that is named', async () => {
      await ending(0, asked(mine, { allowRemovals: true }));
      assert.deepEqual(replication.done, [`allowRemovals ${mine}`]);
      assert.equal(await asked(undefined, { allowRemovals: true }), 1);
      assert.match(terminal.stderr, /--allow-removals goes with a namespace/);
    });

    it('fails and says why at a replica', async () => {
      assert.equal(await asked(theirs), 1);
      assert.match(terminal.stderr, /is only replicated here/);
    });
  });

  describe('promote', () => {
    it('does nothing without --yes but say what it means', async () => {
      assert.equal(await promote(theirs, there, terminal), 1);
      assert.match(terminal.stderr, /^Nothing was done\. .*http:\/\/b\.example\/manual\/:\n/);
      assert.match(terminal.stderr, /what https:\/\/primary\.example publishes from then on is not believed any more/);
      assert.match(terminal.stderr, /published after change 98, and this node does not hold, is lost/);
      assert.deepEqual(replication.done, []);
    });

    it('makes the node the primary, and says what is left to do', async () => {
      replication.promotion = {
        ...{ namespace: replication.held[1]!.report.namespace, version: { epoch, seq: 20 }, documents: 20 },
        configuration: 'primary:\n  namespaces: []\n',
        left: ['Add it to primary.namespaces.'],
      };
      assert.equal(
        await ending(0, promote(theirs, { ...there, yes: true }, terminal)),
        `This node is to be the primary of ${theirs}, once it is told so: 20 documents, change 20 of the new epoch ${epoch}.\n  - Add it to primary.namespaces.\n\nprimary:\n  namespaces: []\n`,
      );
      assert.deepEqual(replication.done, [`promote ${theirs}`]);
    });

    it('fails and says why where that cannot be', async () => {
      replication.promotion = new Error('the key of the namespace is not here');
      assert.equal(await promote(theirs, { ...there, yes: true }, terminal), 1);
      assert.equal(terminal.stderr, 'willis: the key of the namespace is not here\n');
    });
  });

  it('are words of the program, and end with its exit codes', async () => {
    const at = ['--admin', there.admin];
    for (const [words, code, said] of [
      [['namespaces', ...at], 0, /^namespace +role/],
      [['status', theirs, ...at, '--json'], 0, /^\{\n {2}"report"/],
      [['lag', ...at], 1, /1 of 2 replicas in step/],
      [['lag', mine, '--wait', '--timeout', '1ms', ...at], 1, /ended before all replicas were in step/],
      [['lag', theirs, ...at], 2, /is only replicated here/],
      [['changed', mine, '--allow-removals', ...at], 0, /nothing has changed/],
      [['promote', theirs, ...at], 1, /Nothing was done/],
      [['replicate', theirs], 1, /--from <url>/],
    ] as const) {
      const ended = await runWillis('.', words);
      assert.deepEqual([words, ended.code], [words, code]);
      assert.match(ended.stdout + ended.stderr, said);
    }
  });

  describe('stats', () => {
    it('shows how the namespaces fare, where there are some', async () => {
      const told = await ending(0, stats(there, terminal, text, null));
      assert.match(
        told,
        /namespaces +http:\/\/a\.example\/: primary, in step, at change 812, 1,204 documents, 5 MiB, 1 of 2 replicas in step\n/,
      );
      assert.match(
        told,
        /\n {19}http:\/\/b\.example\/manual\/: replica, behind, at change 98, 2 changes and 1 min 30 s behind, 20 documents, 1 KiB, 2 KiB pulled, 512 B spared, 3 refused\n/,
      );
      replication.held = [];
      terminal.stdout = '';
      assert.doesNotMatch(await ending(0, stats(there, terminal, text, null)), /namespaces/);
    });

    it('shows twenty of them, and how many more there are', async () => {
      replication.held = Array.from({ length: 30 }, (_, i) => statusOf(`http://${100 + i}.example/`));
      const told = await ending(0, stats(there, terminal, text, null));
      assert.equal(told.match(/http:\/\/\d+\.example/g)?.length, 20);
      assert.match(told, /\n {19}and 10 more: willis namespaces\n/);
    });
  });
});
