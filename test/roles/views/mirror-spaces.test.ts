import assert from 'node:assert/strict';
import { HeldTable } from '../../../proxy/roles/replication/held-table.js';
import type { NamespaceEntry } from '../../../proxy/roles/replication/namespace-entry.js';
import { MirrorSpaces, type MirrorSpacesOptions } from '../../../proxy/roles/views/mirror-spaces.js';
import { targetOf, visitor } from '../../replication/serving/held-example.js';
import { namespaceLabel, parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import type { Request } from '../../../proxy/http/message.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';

const docs = parseNamespace('http://docs.example/manual/');
const secret = parseNamespace('https://secret.example/');
const label = namespaceLabel(docs);

interface Circumstances extends Partial<Pick<MirrorSpacesOptions, 'url' | 'domain' | 'sites'>> {
  readonly client?: string;
}

function spaces({ client = '192.0.2.1', ...options }: Circumstances = {}): MirrorSpaces {
  const entryOf = (namespace: Namespace): NamespaceEntry => ({ namespace }) as unknown as NamespaceEntry;
  const entries = new HeldTable([docs, secret].map((namespace) => [namespace, entryOf(namespace)] as const));
  const access = { clientOf: () => client, targetOf: ({ target }: Pick<Request, 'target'>): TargetUri => target };
  return new MirrorSpaces({
    layer: { entries },
    access,
    sites: [],
    url: 'http://m1.example',
    domain: 'm.example',
    ...options,
  });
}

/** What a request is for, in a few words. */
function readAs(uri: string, circumstances: Circumstances = {}): string {
  const request: Request = { ...visitor('http://x/'), target: uri.includes('[') ? ofAddress(uri) : targetOf(uri) };
  const read = spaces(circumstances).read(request);
  if (read?.kind !== 'place') return read === null ? 'nothing' : read.kind;
  return `${read.entry.namespace} ${read.space.name} ${read.path ?? 'null'}${read.isSecure ? ' secure' : ''}`;
}

const ofAddress = (uri: string): TargetUri => {
  const [, authority = '', path = ''] = /^http:\/\/(\[[^\]]*\]:\d+)(.*)$/.exec(uri) ?? [];
  const [host = '', port = ''] = authority.split(/:(?=\d+$)/);
  return { scheme: 'http', host, port: Number(port), authority, path };
};

const siteAt = (host: string, origin: string, prefix = '/'): MirrorSpacesOptions['sites'][number] => ({
  ...{ host, prefix },
  origin: targetOf(origin),
});

describe('which requests are for namespaces as browsers see them', () => {
  it('decision 6: those below /mirror/ under the authority of node.url alone', () => {
    assert.equal(readAs(`http://m1.example/mirror/${label}/a?b`), `${docs} /mirror/ a?b`);
    assert.equal(readAs(`http://m1.example/mirror/${label}`), `${docs} /mirror/ null`);
    assert.equal(readAs(`http://m1.example:8080/mirror/${label}/a`), 'nothing');
    assert.equal(readAs(`http://other.example/mirror/${label}/a`), 'nothing');
    assert.equal(readAs(`http://m1.example/mirror/${label}/a`, { url: null }), 'nothing');
    assert.equal(readAs('http://m1.example/mirrors/'), 'nothing');
    assert.equal(readAs('http://m1.example/mirror'), 'nothing');
    assert.equal(readAs('http://m1.example/mirror/'), 'index');
    assert.equal(readAs('http://m1.example/mirror/?a'), 'index');
    assert.equal(readAs('http://m1.example/mirror/x'), 'unknown');
  });

  it('its authority has its port, be it an address of IPv6', () => {
    const url = 'http://[2001:db8::1]:8080';
    assert.equal(readAs(`${url}/mirror/${label}/a`, { url }), `${docs} /mirror/ a`);
    assert.equal(readAs(`http://[2001:db8::1]:8081/mirror/${label}/a`, { url }), 'nothing');
  });

  it('those for the names of namespaces below the domain, whatever the port; other names there are nobody', () => {
    assert.equal(readAs(`http://${label}.m.example/manual/a`), `${docs} .m.example /manual/a`);
    assert.equal(readAs(`http://${label}.m.example:81/manual/a`), `${docs} .m.example:81 /manual/a`);
    assert.equal(readAs('http://x.m.example/'), 'unknown');
    assert.equal(readAs(`http://a.${label}.m.example/`), 'unknown');
    assert.equal(readAs('http://m.example/'), 'nothing');
    assert.equal(readAs(`http://${label}.m.example/`, { domain: null }), 'nothing');
  });

  it('those for the names of namespaces below localhost, from this machine', () => {
    const uri = `http://${label}.localhost:8080/manual/a`;
    assert.equal(readAs(uri, { client: '127.0.0.1' }), `${docs} .localhost:8080 /manual/a secure`);
    assert.equal(readAs(uri, { client: '::1' }), `${docs} .localhost:8080 /manual/a secure`);
    assert.equal(readAs(uri), 'nothing');
    assert.equal(readAs('http://x.localhost/', { client: '127.0.0.1' }), 'nothing');
  });

  it('rule 13: TLS is known by the connection, or by the name of the node, before which somebody takes it off', () => {
    const mirrored = `/mirror/${namespaceLabel(secret)}/a`;
    assert.equal(readAs(`https://m1.example${mirrored}`), `${secret} /mirror/ a secure`);
    assert.equal(readAs(`http://m1.example${mirrored}`), `${secret} /mirror/ a`);
    assert.equal(readAs(`http://m1.example${mirrored}`, { url: 'https://m1.example' }), `${secret} /mirror/ a secure`);
  });

  it('namespaces that only TLS may show are listed there alone', () => {
    const listed = (uri: string): readonly string[] => {
      const read = spaces().read({ ...visitor('http://x/'), target: targetOf(uri) });
      return read?.kind === 'index' ? read.shown : [];
    };
    assert.deepEqual(listed('http://m1.example/mirror/'), [docs]);
    assert.deepEqual(listed('https://m1.example/mirror/'), [docs, secret]);
  });

  it('decision 6: where somebody else has the authority too, only his own are to be had, under their own name', () => {
    for (const host of ['m1.example', '*']) {
      const sites = [siteAt(host, 'http://other.example/')];
      assert.equal(readAs(`http://m1.example/mirror/${label}/a`, { sites }), 'closed', host);
      assert.equal(readAs('http://m1.example/mirror/', { sites }), 'nothing', host);
      assert.equal(readAs(`http://m1.example/mirror/x`, { sites }), 'nothing', host);
      assert.equal(readAs(`http://${label}.m.example/manual/a`, { sites }), `${docs} .m.example /manual/a`, host);
    }
    assert.equal(
      readAs(`http://m1.example/mirror/${label}/a`, { sites: [siteAt('x.example', 'http://other.example/')] }),
      `${docs} /mirror/ a`,
    );
    const own = { url: 'http://docs.example' };
    assert.equal(readAs(`http://docs.example/mirror/${label}/a`, own), 'original');
    assert.equal(readAs(`http://docs.example/mirror/${namespaceLabel(secret)}/a`, own), 'closed');
    assert.deepEqual(spaces(own).closed, [secret]);
    assert.equal(spaces(own).otherOwner, `the namespace ${docs}`);
    assert.deepEqual(spaces().closed, []);
  });

  it('decision 6: what a site stands for that has the authority too is to be had under the name of that site', () => {
    for (const [origin, prefix, led] of [
      ['http://docs.example/manual/', '/', 'http://m1.example/a?b'],
      ['http://docs.example/', '/x/', 'http://m1.example/x/manual/a?b'],
    ] as const) {
      const sites = [siteAt('m1.example', origin, prefix)];
      const request = { ...visitor('http://x/'), target: targetOf(`http://m1.example/mirror/${label}/a?b`) };
      assert.deepEqual(spaces({ sites }).read(request), { kind: 'original', uri: led });
      assert.deepEqual(spaces({ sites }).closed, [secret]);
    }
  });
});
