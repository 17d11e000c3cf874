import assert from 'node:assert/strict';
import { bytes, epochMs } from '../../config/units.js';
import { groupsText, groupText } from '../../proxy/cli/groups-text.js';
import { plainStyle } from '../../proxy/cli/text-style.js';
import { trustText } from '../../proxy/cli/trust-text.js';
import type { GroupReport, TrustReport } from '../../wlis/directory/directory-control.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { Constellation } from '../support/constellation.js';
import { runWillis } from '../support/willis-program.js';

const text = { style: plainStyle, width: 200 };
const made = epochMs(Date.parse('2026-01-02T03:04:05Z'));
const namespace = parseNamespace('http://docs.example/');
const key = (name: string): KeyId => name as KeyId;

const group: GroupReport = {
  ...{ namespace, version: 17, learned: made, used: made, issued: made, expires: epochMs(made + 3_600_000) },
  primary: { key: key('p'), urls: ['http://docs.example'], area: null, capacity: 1 },
  replicas: [
    {
      ...{ key: key('r'), urls: ['https://m1.example'], area: 'de', capacity: 4, access: 'listed', browsers: true },
      ...{ delegate: false, isPart: true, activeUntil: made },
    },
  ],
  hasExpired: false,
  head: { epoch: parseEpoch('1700000000000-0011223344556677'), seq: 812 },
};

describe('the commands for namespaces of others', () => {
  it('a table of groups has one line for each', () => {
    assert.equal(
      groupsText([group, { ...group, hasExpired: true, head: null }], text),
      [
        'namespace             primary              replicas  seq  stated                           used',
        'http://docs.example/  http://docs.example         1  812  2026-01-02 03:04:05 UTC          2026-01-02 03:04:05 UTC',
        'http://docs.example/  http://docs.example         1    -  expired 2026-01-02 04:04:05 UTC  2026-01-02 03:04:05 UTC',
        '',
      ].join('\n'),
    );
    assert.equal(groupsText([], text), 'This node has learned of no namespace yet.\n');
  });

  it('one group is told with its replicas', () => {
    const told = groupText(group, text);
    assert.match(told, /^http:\/\/docs\.example\/, 1 replica\n/);
    assert.match(told, /head +change 812 of epoch 1700000000000-0011223344556677\n/);
    assert.match(told, /https:\/\/m1\.example +listed +browsers too +a part +de +4 +2026-01-02 03:04:05 UTC\n$/);
  });

  it('what is believed is told with its reason, and what is not with its own', () => {
    const report: TrustReport = {
      authorities: [
        {
          ...{ origin: 'http://docs.example', rootKey: key('root'), serial: 2, learnedBy: 'first-use' },
          namespaces: [
            { namespace, signer: key('signer'), notAfter: made },
            { namespace: parseNamespace('http://docs.example/old/'), signer: null, notAfter: null },
          ],
        },
      ],
      names: [{ name: 'manual', namespace, by: key('naming'), serial: 3, expires: made, hasExpired: true }],
      peers: [
        {
          ...{ url: 'http://wlis.example', askedAt: null, failures: 2, problem: 'nobody answers\u001b[31m' },
          ...{ records: { news: 1, known: 2, refused: 3, passedOver: 4 }, received: bytes(100) },
        },
      ],
      refused: [{ about: namespace, from: 'http://evil.example', reason: 'wrong-signature', detail: 'why', at: made }],
      liars: [{ url: 'http://liar.example', times: 2, last: { at: made, detail: 'a 404 without proof' } }],
    };
    const told = trustText(report, text);
    assert.match(told, /because +it told so itself over plain HTTP, and wlis\.trust\.firstUse lets that count\n/);
    assert.match(told, /http:\/\/docs\.example\/: signer signs until 2026-01-02 03:04:05 UTC\n/);
    assert.match(told, /http:\/\/docs\.example\/old\/: nobody signs for it now\n/);
    assert.match(told, /manual\.wlis +http:\/\/docs\.example\/ +naming +3 +ended 2026-01-02 03:04:05 UTC\n/);
    assert.match(told, /http:\/\/wlis\.example +never +1 +2 +3 +4 +nobody answers\\x1b\[31m\n/);
    assert.match(told, /wrong-signature +http:\/\/docs\.example\/ +http:\/\/evil\.example +why\n/);
    assert.match(told, /http:\/\/liar\.example +2 +2026-01-02 03:04:05 UTC +a 404 without proof\n/);
    const nothing = { authorities: [], names: [], peers: [], refused: [], liars: [] };
    assert.equal(trustText(nothing, text), 'Nothing has been learned from others yet.\n');
  });

  it('`willis groups`, `trust` and `trust forget` ask the node that runs', async function () {
    this.timeout(60_000);
    const all = await Constellation.start({ files: { 'page.html': 'the page\n' }, replicas: 1 });
    try {
      await all.learned('page.html');
      const admin = ['--admin', `http://127.0.0.1:${all.client.running.port('admin')}`];
      const run = async (...args: string[]) => runWillis('.', [...args, ...admin]);
      const groups = await run('groups');
      assert.deepEqual([groups.code, groups.stderr], [0, '']);
      assert.ok(groups.stdout.includes(all.site.namespace), groups.stdout);
      const one = await run('groups', `${all.site.namespace}page.html`, '--json');
      assert.equal((JSON.parse(one.stdout) as GroupReport).namespace, all.site.namespace);
      assert.equal((await run('groups', 'http://elsewhere.example/')).code, 1);
      assert.match((await run('trust')).stdout, /firstUse lets that count/);
      const origin = all.primary.front.url;
      assert.deepEqual((await run('trust', 'forget', origin)).code, 0);
      const again = await run('trust', 'forget', origin, '--json');
      assert.deepEqual([again.code, JSON.parse(again.stdout)], [1, { origin, wasKnown: false }]);
    } finally {
      await all.close();
    }
  });
});
