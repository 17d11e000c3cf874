import assert from 'node:assert/strict';
import { bytes, epochMs, type Bytes } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import { readAll } from '../../../proxy/http/body.js';
import { GroupSaying } from '../../../replication/serving/group-saying.js';
import { groupAnswer } from '../../../wlis/calls/group-answer.js';
import { rawUrl } from '../../../wlis/calls/raw-target.js';
import { namespaceLabel } from '../../../wlis/namespace.js';
import { GroupLinks } from '../../../wlis/piggyback/group-links.js';
import { haveField } from '../../../wlis/piggyback/have-field.js';
import { fileName, metalink } from '../../../wlis/piggyback/metalink.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import type { Group } from '../../../wlis/trust/group.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import type { PublicKey } from '../../../wlis/trust/public-key.js';
import type { Variant } from '../../../wlis/trust/variant.js';
import { groupIssued, groupOf, replicaOf } from '../trust/group-example.js';
import { manual } from '../trust/record-example.js';

const key = (name: string): PublicKey => name.padEnd(43, 'A') as PublicKey;
const now = epochMs(groupIssued + 1000);
const label = namespaceLabel(manual);
const primary = key('primary');
const primaryUrl = 'https://docs.example.org';

/** A replica to which clients may be sent. */
const right = (name: string, over: Partial<Replica> = {}): Replica =>
  replicaOf(key(name), { urls: [`https://${name}.example`], browsers: true, ...over });

const hostsOf = (
  group: Group,
  path = 'a.bin',
  self: PublicKey | null = primary,
  length: Bytes | null = null,
): string[] => new GroupLinks(group, self, now).duplicates(path, length).map(({ url }) => new URL(url).host);

describe('where else a document can be had', () => {
  it('is at those replicas to which clients may be sent, at their raw URLs', () => {
    const group = groupOf(primary, [
      right('m1', { place: { area: 'de', position: null } }),
      right('m2', { browsers: false }),
      right('m3', { urls: [] }),
      right('m4', { activeUntil: epochMs(groupIssued) }),
      right('m5', { access: 'open', browsers: false }),
    ]);
    assert.deepEqual(new GroupLinks(group, primary, now).linksFor('en/a b', bytes(1)), [
      `<${rawUrl('https://m1.example', label, 'en/a b')}>; rel=duplicate; pri=1; geo=de; depth=2; wlis`,
    ]);
  });

  it('is not where it is being answered; the primary comes last', () => {
    const group = groupOf(primary, [right('m1'), right('m2')]);
    assert.deepEqual(hostsOf(group, 'x', key('m1')), ['m2.example', 'docs.example.org']);
    assert.deepEqual(hostsOf(group, 'x', null).slice(2), ['docs.example.org']);
    assert.deepEqual(hostsOf(groupOf(primary, [])), []);
  });

  it('is with those alone that hold that part of the namespace; of them nothing is said of what lies beside', () => {
    const subset = { include: ['en/**'], exclude: ['**/*.iso'], maxBytes: bytes(1000) };
    const group = groupOf(primary, [right('m1', { subset })]);
    assert.deepEqual(hostsOf(group, 'en/a', primary, bytes(1000)), ['m1.example']);
    for (const [path, length] of [
      ['de/a', 1],
      ['en/a.iso', 1],
      ['en/a', 1001],
    ] as const) {
      assert.deepEqual(hostsOf(group, path, primary, bytes(length)), [], path);
    }
    assert.equal(new GroupLinks(group, primary, now).duplicates('en/a', bytes(1))[0]?.depth, 0);
  });

  it('goes as many directories up as there are to the namespace, from this document on (decision 24)', () => {
    const links = new GroupLinks(groupOf(primary, [right('m1')]), primary, now);
    const depths = ['', 'a', 'a/', 'a/b', 'a/b/c', 'a?b/c/d'].map((path) => links.duplicates(path, null)[0]?.depth);
    assert.deepEqual(depths, [1, 1, 2, 2, 3, 1]);
  });

  it('is in at most ten places, others for each document, by what they can take', () => {
    const names = Array.from({ length: 30 }, (_, i) => `m${i}`);
    const group = groupOf(
      primary,
      names.map((name, i) => right(name, { capacity: i === 0 ? 30 : 1 })),
    );
    const first = new Map<string, number>();
    const named = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const hosts = hostsOf(group, `doc${i}`);
      assert.equal(new Set(hosts).size, 10);
      for (const host of hosts) named.add(host);
      first.set(hosts[0] ?? '', (first.get(hosts[0] ?? '') ?? 0) + 1);
    }
    assert.equal(named.size, 30);
    const large = first.get('m0.example') ?? 0;
    // 30 of 59
    assert.ok(large > 430 && large < 590, `${large}`);
    assert.deepEqual(hostsOf(group, 'doc1'), hostsOf(group, 'doc1'));
  });
});

describe('what a holder says of its group', () => {
  const group = { group: groupOf(primary, [right('m1')]), jws: 'x' };
  const digest = digestOfText('x');
  const variant = { length: bytes(10), digest } as Variant;
  const saying = (url: string | null = primaryUrl) =>
    new GroupSaying({
      group: () => group,
      self: primary,
      url,
      loads: { next: () => null },
      capacity: 1,
      now: () => now,
    });
  const said = (path: string | null, asked = Fields.none, url: string | null = primaryUrl): Fields => {
    const { recurring, once } = saying(url).for(asked)(path, path === null ? null : variant);
    return new Fields([...recurring, ...once]);
  };

  it('stands in every answer: the version, and where all of it is', () => {
    const always = said(null);
    assert.equal(always.get('wlis-group'), `"${manual}";version=${groupIssued}`);
    const links = `${primaryUrl}/.well-known/wlis/group?namespace=${encodeURIComponent(manual)}`;
    assert.deepEqual(always.all('link'), [`<${links}>; rel=linkset; type="application/linkset+json"; wlis`]);
  });

  it('has copies, digest and metalink in answers with a document', () => {
    const fields = said('a.bin');
    const metalinkUrl = `${primaryUrl}/.well-known/wlis/metalink?namespace=${encodeURIComponent(manual)}`;
    assert.deepEqual(
      fields.all('link').map((link) => link.replace(/^<([^>]*)>; rel=(\w+);.*$/, '$2 $1')),
      [
        `duplicate ${rawUrl('https://m1.example', label, 'a.bin')}`,
        `linkset ${primaryUrl}/.well-known/wlis/group?namespace=${encodeURIComponent(manual)}`,
        `describedby ${metalinkUrl}&uri=${encodeURIComponent(`${manual}a.bin`)}`,
      ],
    );
    assert.equal(fields.get('digest'), `SHA-256=${Buffer.from(digest, 'hex').toString('base64')}`);
  });

  it('has no copies for those who know that version of the group, and is the same for all others', () => {
    const asking = (version: number | null, namespace = manual): Fields =>
      Fields.of({ 'WLIS-Have': haveField({ namespace, group: version, head: null, nonce: 'abcdefgh' }) });
    const rels = (fields: Fields): number => fields.all('link').filter((link) => link.includes('duplicate')).length;
    assert.equal(rels(said('a', asking(groupIssued))), 0);
    assert.equal(said('a', asking(groupIssued)).all('link').length, 2);
    for (const asked of [asking(groupIssued - 1), asking(null), Fields.of({ 'WLIS-Have': 'nonsense' })]) {
      assert.deepEqual(said('a', asked).lines, said('a').lines);
    }
  });

  it('has no links to calls where this node cannot be called', () => {
    assert.deepEqual(
      said('a', Fields.none, null)
        .all('link')
        .map((link) => /rel=(\w+)/.exec(link)?.[1]),
      ['duplicate'],
    );
  });
});

describe('a group as tools read it', () => {
  const signed = { group: groupOf(primary, [right('m1', { place: { area: 'de', position: null } })]), jws: 'jws' };
  const answer = async (accept?: string): Promise<readonly [string | undefined, string]> => {
    const asked = accept === undefined ? Fields.none : Fields.of({ Accept: accept });
    const { fields, body } = groupAnswer(asked, signed, now);
    assert.equal(fields.get('vary'), 'Accept');
    return [fields.get('content-type'), body === null ? '' : (await readAll(body, bytes(10_000))).toString()];
  };
  const places = [rawUrl('https://m1.example', label, ''), rawUrl(primaryUrl, label, '')];

  it('is its signed statement, if nothing else is asked for', async () => {
    for (const accept of [undefined, '*/*', 'application/jose', 'text/html', 'text/uri-list;q=0.5, */*']) {
      assert.deepEqual(await answer(accept), ['application/jose', 'jws']);
    }
  });

  it('is a linkset (RFC 9264) or a list of URLs (RFC 2483) of those who may be named to everybody', async () => {
    const [type, text] = await answer('application/linkset+json');
    assert.equal(type, 'application/linkset+json');
    assert.deepEqual(JSON.parse(text), {
      linkset: [
        {
          anchor: manual,
          duplicate: [
            { geo: ['de'], href: places[0], pri: ['1'] },
            { href: places[1], pri: ['2'] },
          ],
        },
      ],
    });
    assert.deepEqual(await answer('text/uri-list'), ['text/uri-list', `# ${manual}\r\n${places.join('\r\n')}\r\n`]);
  });
});

describe('a metalink (RFC 5854)', () => {
  it('has the length, the digests and the places of a document, everything in it escaped', () => {
    const digest = digestOfText('x');
    const copies = [
      { url: 'https://m1.example/?a=1&b=<2>', area: 'de', depth: 1 },
      { url: 'https://m2.example/', area: null, depth: 0 },
    ];
    const file = { path: 'a/b%26c.bin', length: bytes(70_000), digest, copies };
    const pieces = { size: bytes(65_536), digests: [digest, digest] };
    const lines = metalink('https://x.example/?a&b', { ...file, pieces })
      .split('\n')
      .map((line) => line.trim());
    assert.deepEqual(lines.slice(2), [
      '<origin dynamic="true">https://x.example/?a&amp;b</origin>',
      '<file name="b&amp;c.bin">',
      '<size>70000</size>',
      `<hash type="sha-256">${digest}</hash>`,
      '<pieces length="65536" type="sha-256">',
      ...[`<hash>${digest}</hash>`, `<hash>${digest}</hash>`, '</pieces>'],
      '<url location="de" priority="1">https://m1.example/?a=1&amp;b=&lt;2&gt;</url>',
      '<url priority="2">https://m2.example/</url>',
      ...['</file>', '</metalink>', ''],
    ]);
    assert.equal(metalink('', { ...file, pieces: null }).includes('pieces'), false);
  });

  it('names the file by the end of its path, and nothing that leads to another directory', () => {
    const names = [
      'a.txt',
      'x/a%20b',
      'x/?y/z',
      'a?b',
      '..',
      'a/..',
      '%2e%2e',
      'a%2Fb',
      'C%3A',
      'a%5Cb',
      'a%00',
      '%FF',
    ];
    assert.deepEqual(names.map(fileName), [
      ...['a.txt', 'a b', 'index.html', 'a', 'index.html', 'index.html', 'index.html', 'index.html'],
      ...['index.html', 'index.html', 'index.html', '%FF'],
    ]);
  });
});
