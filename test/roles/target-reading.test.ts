import assert from 'node:assert/strict';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { hrefOf, type TargetUri } from '../../proxy/http/target-uri.js';
import { resolveReference } from '../../proxy/http/uri-reference.js';
import { TargetReading, type Reading, type TargetReadingOptions } from '../../proxy/roles/finding/target-reading.js';
import type { KnownNamespace } from '../../wlis/directory/known-namespace.js';
import { LogicalNames } from '../../wlis/names/logical-names.js';
import { OwnNames } from '../../wlis/names/own-names.js';
import { TlsOnlyHosts } from '../../wlis/names/tls-only-hosts.js';
import { FakeClock } from '../support/fake-clock.js';

const nowhere: TargetUri = { scheme: 'http', host: 'x', port: 80, authority: 'x', path: '/' };

const targetOf = (uri: string): TargetUri => resolveReference(nowhere, uri) as TargetUri;

const request = (uri: string, { address = '127.0.0.1', method = 'GET' } = {}): Request =>
  ({ method, target: targetOf(uri), fields: Fields.none, client: { address, port: 1, secure: false } }) as Request;

const response = (fields: Readonly<Record<string, string | readonly string[]>>): Response => ({
  ...{ status: 200, reason: 'OK', fields: Fields.of(fields), body: BufferedBody.from('content') },
});

describe('how the forward proxy reads targets', () => {
  const clock = new FakeClock();
  let wanted: string[];
  beforeEach(() => void (wanted = []));

  /** @param known namespaces that are known */
  const reading = (known: readonly string[], options: Partial<TargetReadingOptions> = {}): TargetReading =>
    new TargetReading({
      names: new LogicalNames(new OwnNames({ manual: 'http://docs.example/m/', '*.users': 'http://isp.example/' })),
      httpsAsHttp: 'loopback',
      finder: {
        isEmpty: known.length === 0,
        of: (target) => {
          const namespace = known.find((one) => hrefOf(target).startsWith(one));
          return namespace === undefined ? null : ({ namespace } as KnownNamespace);
        },
      },
      want: (namespace) => void wanted.push(namespace),
      tlsOnly: new TlsOnlyHosts(),
      clock,
      ...options,
    });

  const realOf = (read: Reading | null): string | undefined =>
    read?.kind === 'other' ? hrefOf(read.request.target) : read?.kind;

  it('what is no name, and no namespace of https, is what it says', () => {
    const all = reading(['http://docs.example/']);
    for (const uri of ['http://docs.example/x', 'http://other.example/', 'http://wlis/', 'http://a.wlis.example/']) {
      assert.equal(all.read(request(uri)), null, uri);
    }
  });

  describe('names', () => {
    it('of namespaces that are not known yet have those asked for, and others do not', () => {
      assert.equal(realOf(reading([]).read(request('http://a.users.wlis/x'))), 'http://isp.example/a/x');
      assert.deepEqual(wanted, ['http://isp.example/']);
      reading(['http://docs.example/m/']).read(request('http://manual.wlis/x'));
      assert.equal(wanted.length, 1);
    });

    it('are kept from leading out of their namespaces', () => {
      const all = reading([]);
      assert.equal(
        realOf(
          all.read({ ...request('http://x/'), target: { ...targetOf('http://manual.wlis/'), path: '/a/../../x' } }),
        ),
        'http://docs.example/m/x',
      );
      const read = all.read({
        ...request('http://x/'),
        target: { ...targetOf('http://manual.wlis/'), path: '/..%2fx' },
      });
      assert.equal(read?.kind === 'refused' && read.error.code, 'bad-request');
    });

    it('that nobody has given, or with a port or TLS, are refused', () => {
      for (const uri of ['http://other.wlis/', 'http://manual.wlis:8080/', 'https://manual.wlis/', 'http://x-.wlis/']) {
        const read = reading([]).read(request(uri));
        assert.equal(read?.kind === 'refused' && read.error.code, 'name-unknown', uri);
      }
    });
  });

  describe('namespaces of https, asked for as http (decision 21)', () => {
    const secure = ['https://docs.example/m/'];

    it('are got by TLS for clients of this machine; what lies beside them is what it says', () => {
      const all = reading(secure);
      assert.equal(realOf(all.read(request('http://docs.example/m/x?y'))), 'https://docs.example/m/x?y');
      assert.equal(
        realOf(all.read(request('http://docs.example/m/x', { address: '::1' }))),
        'https://docs.example/m/x',
      );
      assert.equal(all.read(request('http://docs.example/other')), null);
      assert.equal(all.read(request('http://docs.example:8080/m/')), null);
    });

    it('by other clients only if always says so, and never by anybody if never does', () => {
      const far = request('http://docs.example/m/x', { address: '192.0.2.1' });
      assert.equal(reading(secure).read(far), null);
      assert.equal(realOf(reading(secure, { httpsAsHttp: 'always' }).read(far)), 'https://docs.example/m/x');
      assert.equal(reading(secure, { httpsAsHttp: 'never' }).read(request('http://docs.example/m/x')), null);
    });

    it('leave those of http as they are', () => {
      assert.equal(reading([...secure, 'http://docs.example/']).read(request('http://docs.example/m/x')), null);
    });

    it('are shown as http as far as they reach, and without what is for TLS alone', () => {
      const read = reading(secure).read(request('http://docs.example/m/x'));
      assert.equal(read?.kind, 'other');
      const shown = (location: string): string | undefined =>
        read.shown(response({ Location: location })).fields.get('location');
      assert.equal(shown('/m/new'), 'http://docs.example/m/new');
      assert.equal(shown('https://docs.example/m/new'), 'http://docs.example/m/new');
      assert.equal(shown('/elsewhere'), 'https://docs.example/elsewhere');
      const { fields } = read.shown(response({ 'Set-Cookie': ['a=1; Secure', 'b=2'] }));
      assert.deepEqual(fields.all('set-cookie'), ['b=2']);
    });

    it('of a host that wants TLS all the way are not shown as http, beginning with the answer that says so', () => {
      const tlsOnly = new TlsOnlyHosts();
      const all = reading(secure, { tlsOnly });
      const read = all.read(request('http://docs.example/m/x'));
      assert.equal(read?.kind, 'other');
      const { status, fields, body } = read.shown(response({ 'Strict-Transport-Security': 'max-age=9' }));
      assert.deepEqual([status, fields.get('location'), body?.length], [307, 'https://docs.example/m/x', 0]);
      assert.equal(all.read(request('http://docs.example/m/x')), null);
    });

    it('what was written is answered as it was done, though the answer says so', () => {
      const read = reading(secure).read(request('http://docs.example/m/x', { method: 'POST' }));
      const shown = read?.kind === 'other' ? read.shown(response({ 'Strict-Transport-Security': 'max-age=9' })) : null;
      assert.equal(shown?.status, 200);
      assert.equal(shown.fields.has('strict-transport-security'), false);
    });

    it('a name for one is not written to by clients that may not: nothing is sent on', () => {
      const names = new LogicalNames(new OwnNames({ manual: 'https://docs.example/m/' }));
      const all = reading([], { names });
      const far = { address: '192.0.2.1' };
      assert.equal(all.read(request('http://manual.wlis/x', { ...far, method: 'HEAD' }))?.kind, 'answered');
      const read = all.read(request('http://manual.wlis/x', { ...far, method: 'PUT' }));
      assert.equal(read?.kind === 'refused' && read.error.code, 'tls-only');
      assert.deepEqual(wanted, []);
    });
  });
});
