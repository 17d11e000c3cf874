import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { TLSSocket } from 'node:tls';
import { milliseconds } from '../../config/units.js';
import { parseProxyUri } from '../../config/origin-uri.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import type { ErrorCode } from '../../proxy/base/errors.js';
import { WillisError } from '../../proxy/base/errors.js';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import { DirectReads } from '../../proxy/forward/direct-reads.js';
import type { Dialler, DiallerOptions } from '../../proxy/forward/dialler.js';
import type { HttpUpstream } from '../../proxy/forward/http-upstream.js';
import { openTunnel } from '../../proxy/forward/tunnel.js';
import { ParentProxy, type ParentCredentials } from '../../proxy/forward/parent-proxy.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { answer, answerBrokenOff } from '../support/origin-scripts.js';
import { rawOrigin, type RawOrigin, type RawScript } from '../support/raw-origin.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startParent, type ParentOptions, type ScriptedParent } from '../support/scripted-parent.js';
import { closing, connectedPair, readToEnd, readUntil } from './connected-pair.js';
import { createDialler, createUpstream, failsWith, get, never, textOf } from './upstream-fixture.js';

const credentials: ParentCredentials = { user: 'zweig', password: 'grün:1' };
/** RFC 7617 §2.1: in UTF-8; a password may have colons. */
const authorization = `Basic ${Buffer.from('zweig:grün:1', 'utf8').toString('base64')}`;

const parentAt = (url: string, known: ParentCredentials | null = null): ParentProxy => {
  const uri = parseProxyUri(url);
  if (typeof uri === 'string') throw new Error(uri);
  return new ParentProxy(uri, known);
};

const inOrder = async <T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> => {
  const results: T[] = [];
  for (const task of tasks) results.push(await task());
  return results;
};

describe('a parent proxy', () => {
  let certificates: Certificates;
  const closed: { close(): Promise<void> }[] = [];
  const owned = <T extends { close(): Promise<void> }>(one: T): T => {
    closed.push(one);
    return one;
  };

  before(async () => {
    certificates = await makeCertificates();
  });
  afterEach(async () => {
    for (const one of closed.splice(0)) await one.close();
  });

  const origin = async (tls = false): Promise<ScriptedOrigin> =>
    owned(await startOrigin(answer(200, {}, 'hello'), tls ? { tls: certificates.leaf } : {}));
  const parent = async (options: ParentOptions = {}): Promise<ScriptedParent> => owned(await startParent(options));
  const rawParent = async (script: RawScript): Promise<RawOrigin> => owned(await rawOrigin(script));
  const through = (url: string, more: Partial<DiallerOptions> = {}): Partial<DiallerOptions> => ({
    parent: parentAt(url),
    ca: [certificates.ca],
    ...more,
  });
  const upstream = (options: Partial<DiallerOptions>): HttpUpstream => owned(createUpstream(options));
  const at = (scheme: 'http' | 'https', host: string, port: number, path = '/') => {
    const usual = port === (scheme === 'https' ? 443 : 80);
    return { scheme, host, port, authority: usual ? host : `${host}:${port}`, path };
  };

  describe('for http', () => {
    it('is sent requests in absolute form, whose Host is the same authority (RFC 9112 §3.2.2)', async () => {
      const [server, proxy] = [await origin(), await parent()];
      const one = upstream(through(proxy.url));
      const target = at('http', 'www.example', server.port, '/a?b=c');
      const response = await one.forward(get(target, { fields: get(at('http', 'else', 1)).fields }), never);
      assert.equal(await textOf(response), 'hello');
      const [request] = proxy.requests;
      assert.equal(request?.url, `http://www.example:${server.port}/a?b=c`);
      assert.equal(request.headers.host, `www.example:${server.port}`);
      assert.equal(server.last.url, '/a?b=c');
    });

    it('is asked over kept connections, which serve all origin servers', async () => {
      const [a, b, proxy] = [await origin(), await origin(), await parent()];
      const one = upstream(through(proxy.url));
      for (const { port } of [a, b, a, b]) {
        assert.equal(await textOf(await one.forward(get(at('http', `site-${port}.example`, port)), never)), 'hello');
      }
      assert.equal(proxy.connections, 1);
      assert.deepEqual({ ...countsOf(one) }, { open: 1, idle: 1, waiting: 0, origins: 1 });
    });

    it('has a connection for each of several requests at a time, whichever origin servers they are for', async () => {
      const proxy = await rawParent(() => undefined);
      const one = owned(createUpstream({ ...through(`http://127.0.0.1:${proxy.port}`), connections: 2 }));
      const cancellation = new Cancellation();
      const asked = ['a', 'a', 'a', 'b', 'b'].map((name) =>
        one.forward(get(at('http', `${name}.example`, 80)), { cancellation }).catch(() => undefined),
      );
      while (proxy.requests.length < 4) await new Promise(setImmediate);
      // at most two for each, as without a parent proxy
      assert.deepEqual({ ...countsOf(one) }, { open: 4, idle: 0, waiting: 1, origins: 1 });
      cancellation.cancel(new WillisError('client-gone', 'test'));
      await Promise.all(asked);
      assert.deepEqual({ ...countsOf(one) }, { open: 0, idle: 0, waiting: 0, origins: 0 });
    });

    it('gives no origin server more than its share of idle connections', async () => {
      const held: (() => void)[] = [];
      const proxy = await rawParent((socket) => {
        held.push(() => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
      });
      const one = owned(createUpstream({ ...through(`http://127.0.0.1:${proxy.port}`), connections: 1 }));
      const ask = (name: string): Promise<string> =>
        one.forward(get(at('http', `${name}.example`, 80)), never).then(textOf);
      const received = async (count: number): Promise<void> => {
        while (held.length < count) await new Promise(setImmediate);
      };
      const first = [ask('a'), ask('b')];
      await received(2);
      held.splice(0).forEach((answer) => answer());
      await Promise.all(first);
      assert.equal(one.connections.idle, 2);
      const second = [ask('a'), ask('a')];
      await received(1);
      assert.deepEqual({ ...countsOf(one) }, { open: 2, idle: 1, waiting: 1, origins: 1 });
      held.shift()?.();
      await received(1);
      held.shift()?.();
      assert.deepEqual(await Promise.all(second), ['hello', 'hello']);
    });

    it('is given content, at its length or chunked', async () => {
      const [server, proxy] = [await origin(), await parent()];
      const one = upstream(through(proxy.url));
      const body = BufferedBody.from('some content');
      await textOf(await one.forward(get(at('http', 'a.example', server.port), { method: 'POST', body }), never));
      assert.equal(server.last.body.toString(), 'some content');
    });

    it('answers 502 for an origin server that it cannot reach, and that answer is passed on', async () => {
      const [server, proxy] = [await origin(), await parent()];
      const { port } = server;
      await server.close();
      const response = await upstream(through(proxy.url)).forward(get(at('http', 'a.example', port)), never);
      assert.equal(response.status, 502);
      assert.equal(response.fields.get('via'), '1.1 parent');
      assert.equal(await textOf(response), 'the parent cannot reach it');
    });

    it('that goes silent, breaks off or talks nonsense is named in the failure', async () => {
      const rows: [RawScript, ErrorCode][] = [
        [(socket) => void socket.destroy(), 'upstream-reset'],
        [(socket) => void socket.write('220 mail ready\r\n'), 'upstream-malformed'],
        [() => undefined, 'upstream-timeout'],
      ];
      for (const [script, code] of rows) {
        const { port } = await rawParent(script);
        const firstByteTimeout = milliseconds(code === 'upstream-timeout' ? 30 : 5000);
        const one = owned(createUpstream({ ...through(`http://127.0.0.1:${port}`), firstByteTimeout }));
        await assert.rejects(one.forward(get(at('http', 'a.example', 80)), never), (error: WillisError) => {
          assert.equal(error.code, code);
          assert.match(error.message, new RegExp(`the parent proxy http://127.0.0.1:${port}: `));
          return true;
        });
      }
    });

    it('whose answer breaks off makes the answer break off', async () => {
      const [server, proxy] = [await origin(), await parent()];
      server.handle(answerBrokenOff(200, { 'Content-Length': '10' }, 'hel'));
      const response = await upstream(through(proxy.url)).forward(get(at('http', 'a.example', server.port)), never);
      await assert.rejects(textOf(response), failsWith('upstream-incomplete'));
    });
  });

  describe('for https', () => {
    it('is asked for a tunnel, in which TLS is spoken with the origin server and verified (RFC 9110 §9.3.6)', async () => {
      const [server, proxy] = [await origin(true), await parent()];
      const one = upstream(through(proxy.url));
      for (let i = 0; i < 3; i++) {
        assert.equal(await textOf(await one.forward(get(at('https', 'localhost', server.port)), never)), 'hello');
      }
      assert.deepEqual(
        proxy.requests.map(({ method, url, headers }) => [method, url, headers.host]),
        [['CONNECT', `localhost:${server.port}`, `localhost:${server.port}`]],
      );
      assert.equal(server.last.url, '/');
      assert.equal(server.connections, 1);
    });

    it('a certificate for another name, or of an unknown authority, is refused', async () => {
      const [server, proxy] = [await origin(true), await parent()];
      const other = upstream(through(proxy.url)).forward(get(at('https', 'www.example', server.port)), never);
      await assert.rejects(other, failsWith('tls-certificate'));
      const unknown = upstream(through(proxy.url, { ca: [] }));
      await assert.rejects(
        unknown.forward(get(at('https', 'localhost', server.port)), never),
        failsWith('tls-certificate'),
      );
      assert.equal(server.requests.length, 0);
    });
  });

  for (const tls of [false, true]) {
    describe(tls ? 'reached by TLS' : 'reached without TLS', () => {
      it('relays http, opens tunnels, and TLS runs in them', async () => {
        const proxy = await parent(tls ? { tls: certificates.leaf } : {});
        const [plain, secure] = [await origin(), await origin(true)];
        const one = upstream(through(proxy.url));
        assert.equal(await textOf(await one.forward(get(at('http', 'a.example', plain.port)), never)), 'hello');
        assert.equal(await textOf(await one.forward(get(at('https', 'localhost', secure.port)), never)), 'hello');
        const socket = await createDialler(through(proxy.url)).dial(
          { host: 'b.example', port: plain.port, secure: false },
          never.signal,
        );
        assert.equal(socket instanceof TLSSocket, tls);
        socket.write('GET / HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n');
        assert.match((await readToEnd(socket)).text, /hello$/);
      });
    });
  }

  it('whose certificate is not valid is not spoken to', async () => {
    const proxy = await parent({ tls: certificates.leaf });
    const untrusted = upstream(through(proxy.url, { ca: [] })).forward(get(at('http', 'a.example', 80)), never);
    await assert.rejects(untrusted, (error: WillisError) => {
      assert.equal(error.code, 'parent-unreachable');
      assert.match(error.message, /the parent proxy https:\/\/127\.0\.0\.1:\d+: TLS with /);
      return true;
    });
    assert.equal(proxy.requests.length, 0);
  });

  describe('with a user and a password', () => {
    it('is told them with each request and CONNECT, by Basic authentication in UTF-8 (RFC 7617)', async () => {
      const proxy = await parent({ authorization });
      const [plain, secure] = [await origin(), await origin(true)];
      const one = upstream(through(proxy.url, { parent: parentAt(proxy.url, credentials) }));
      for (const target of [at('http', 'a.example', plain.port), at('https', 'localhost', secure.port)]) {
        const response = await one.forward(get(target), never);
        assert.equal(response.status, 200);
        await textOf(response);
      }
      assert.deepEqual(
        proxy.requests.map(({ headers }) => headers['proxy-authorization']),
        [authorization, authorization],
      );
    });

    it('origin servers never see them, neither directly nor within a tunnel', async () => {
      const proxy = await parent({ authorization });
      const [plain, secure] = [await origin(), await origin(true)];
      const known = through(proxy.url, { parent: parentAt(proxy.url, credentials), noProxy: ['private'] });
      const one = upstream(known);
      await textOf(await one.forward(get(at('http', '127.0.0.1', plain.port)), never));
      await textOf(
        await upstream({ ...known, noProxy: [] }).forward(get(at('https', 'localhost', secure.port)), never),
      );
      for (const { last } of [plain, secure]) assert.equal(last.headers['proxy-authorization'], undefined);
      assert.equal(proxy.requests.length, 1);
    });

    it('a 407 is this node’s own fault: its challenge is not passed on', async () => {
      const proxy = await parent({ authorization: 'Basic somebody-else' });
      const cases = [at('http', 'a.example', 80), at('https', 'a.example', 443)].flatMap((target) => [
        { target, known: null, words: /asks for a user and a password/ },
        { target, known: credentials, words: /refuses the user and the password/ },
      ]);
      for (const { target, known, words } of cases) {
        const one = upstream(through(proxy.url, { parent: parentAt(proxy.url, known) }));
        await assert.rejects(one.forward(get(target), never), (error: WillisError) => {
          assert.equal(error.code, 'parent-authentication');
          assert.equal(error.kind.status, 502);
          assert.match(error.message, words);
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /grün|Basic/);
          return true;
        });
      }
    });

    it('nothing that prints the proxy shows them', () => {
      const one = parentAt('http://127.0.0.1:1', credentials);
      for (const text of [inspect(one, { showHidden: true }), JSON.stringify(one), one.name]) {
        assert.doesNotMatch(text, /zweig|grün|Basic|emd/);
      }
    });
  });

  describe('asked for a tunnel', () => {
    const dialling = (port: number, more: Partial<DiallerOptions> = {}): Promise<Socket> =>
      createDialler(through(`http://127.0.0.1:${port}`, more)).dial(
        { host: 'www.example', port: 443, secure: false },
        never.signal,
      );
    const fails = async (script: RawScript, code: ErrorCode, words?: RegExp): Promise<void> => {
      const proxy = await rawParent(script);
      await assert.rejects(dialling(proxy.port), (error: WillisError) => {
        assert.equal(error.code, code);
        assert.match(error.message, words ?? /the parent proxy http:\/\/127\.0\.0\.1:\d+/);
        return true;
      });
      for (const socket of proxy.connections) await closing(socket);
    };

    it('is sent CONNECT with Host and this node in Via, behind what the client had in it (RFC 9110 §7.6.3)', async () => {
      const proxy = await rawParent((socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      const dialler: Dialler = createDialler(through(`http://127.0.0.1:${proxy.port}`, { via: '1.1 own' }));
      const hosts = ['www.example', '[2001:db8::1]', '2001:db8::1'];
      for (const host of hosts)
        (
          await dialler.dial({ host, port: 443, secure: false }, never.signal, {
            via: '1.1 client',
            reads: new DirectReads(),
          })
        ).destroy();
      assert.deepEqual(proxy.requests, [
        'CONNECT www.example:443 HTTP/1.1\r\nHost: www.example:443\r\nVia: 1.1 client, 1.1 own\r\n\r\n',
        'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nVia: 1.1 client, 1.1 own\r\n\r\n',
        'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nVia: 1.1 client, 1.1 own\r\n\r\n',
      ]);
    });

    it('may answer in pieces, after interim responses, with framing that means nothing (RFC 9110 §9.3.6)', async () => {
      const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.0 204 Fine\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nfirst`;
      for (const pieces of [[text], text.split(/(?=\r\n)/), text.split('')]) {
        const proxy = await rawParent((socket) => {
          void inOrder(pieces.map((piece) => () => new Promise((done) => socket.write(piece, 'latin1', done))));
        });
        const socket = await dialling(proxy.port);
        assert.equal(await readUntil(socket, 'first'), 'first');
        socket.write('second\r\n\r\n');
        while (proxy.requests.length < 2) await new Promise(setImmediate);
        assert.equal(proxy.requests[1], 'second\r\n\r\n');
        socket.destroy();
      }
    });

    it('bytes that come with its answer belong to the tunnel, to the last of them', async () => {
      const proxy = await rawParent((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall there is'));
      assert.deepEqual(await readToEnd(await dialling(proxy.port)), { text: 'all there is', end: 'end' });
    });

    for (const status of [400, 403, 404, 405, 429, 500, 502, 503, 504, 302, 600]) {
      it(`may refuse by ${status}, which the failure tells`, async () => {
        const refusal = `HTTP/1.1 ${status} No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot a body that anybody reads`;
        await fails(
          (socket) => void socket.write(refusal),
          'parent-refused',
          new RegExp(`answered ${status} to CONNECT`),
        );
      });
    }

    it('and answering 407 is told as such', async () => {
      const challenge = 'HTTP/1.1 407 Who\r\nProxy-Authenticate: Negotiate\r\n\r\n';
      await fails((socket) => void socket.write(challenge), 'parent-authentication');
    });

    const odd: Readonly<Record<string, string>> = {
      'another protocol': 'SSH-2.0-OpenSSH_9.6\r\n',
      'a status line of another version': 'HTTP/2 200\r\n\r\n',
      'a bare LF': 'HTTP/1.1 200 OK\nA: b\n\n',
      'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
      'interim responses without end': 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17),
      'a head that is too large': `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}\r\n\r\n`,
      'a head without end': `HTTP/1.1 200 OK\r\n${`A: ${'b'.repeat(100)}\r\n`.repeat(1000)}`,
      'a field line without a colon': 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n',
    };
    for (const [what, text] of Object.entries(odd)) {
      it(`and answering with ${what} has failed, and the connection is closed`, async () => {
        await fails((socket) => void socket.write(text), 'parent-failed');
      });
    }

    it('and going away without an answer, or within it, has failed', async () => {
      await fails((socket) => void socket.end(), 'parent-failed');
      await fails((socket) => void socket.end('HTTP/1.1 200 OK\r\nA'), 'parent-failed');
      await fails((socket) => void socket.resetAndDestroy(), 'parent-failed');
    });

    it('and keeping silent is given connectTimeout, for all steps together', async () => {
      for (const script of [() => undefined, (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nA')]) {
        const proxy = await rawParent(script);
        await assert.rejects(dialling(proxy.port, { connectTimeout: milliseconds(40) }), failsWith('parent-timeout'));
        for (const socket of proxy.connections) await closing(socket);
      }
      const proxy = await rawParent((socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      const secure = createDialler(through(`http://127.0.0.1:${proxy.port}`, { connectTimeout: milliseconds(40) }));
      const silent = secure.dial({ host: 'www.example', port: 443, secure: true }, never.signal);
      await assert.rejects(silent, failsWith('connect-timeout'));
    });

    it('is left when the client goes', async () => {
      const proxy = await rawParent(() => undefined);
      const controller = new AbortController();
      const dialler = createDialler(through(`http://127.0.0.1:${proxy.port}`));
      const asked = dialler.dial({ host: 'www.example', port: 443, secure: true }, controller.signal);
      while (proxy.requests.length === 0) await new Promise(setImmediate);
      controller.abort(new WillisError('client-gone', 'test'));
      await assert.rejects(asked, failsWith('client-gone'));
      for (const socket of proxy.connections) await closing(socket);
    });
  });

  it('reached by TLS ends when the client of a tunnel breaks off, and the other way round', async () => {
    const proxy = await parent({ tls: certificates.leaf });
    for (const breaking of ['client', 'origin'] as const) {
      const server = owned(
        await rawOrigin((socket) => {
          if (breaking === 'origin') socket.resetAndDestroy();
        }),
      );
      const { near, far } = await connectedPair();
      const tunnel = openTunnel({
        host: 'a.example',
        port: server.port,
        client: near,
        head: Buffer.alloc(0),
        dialler: createDialler(through(proxy.url)),
        via: '',
        idleTimeout: milliseconds(5000),
        signal: never.signal,
      });
      await readUntil(far, '\r\n\r\n');
      far.write('question\r\n\r\n');
      while (server.requests.length === 0) await new Promise(setImmediate);
      if (breaking === 'client') far.resetAndDestroy();
      else await readToEnd(far).then(() => far.end());
      await tunnel;
      await closing(server.connections[0]!);
      await closing(near);
      far.destroy();
    }
  });

  it('that cannot be reached is told from an origin server that cannot', async () => {
    const proxy = await rawParent(() => undefined);
    const url = `http://127.0.0.1:${proxy.port}`;
    await proxy.close();
    const rows: [Partial<DiallerOptions>, ErrorCode, RegExp][] = [
      [through(url), 'parent-unreachable', /the parent proxy .* failed: ECONNREFUSED/],
      // a label too long for the resolver to ask anybody about it (RFC 1035 §2.3.4)
      [
        through(`http://${'x'.repeat(64)}.invalid`),
        'parent-unreachable',
        /the parent proxy .*\.invalid could not be resolved/,
      ],
    ];
    for (const [options, code, words] of rows) {
      for (const target of [at('http', 'a.example', 80), at('https', 'a.example', 443)]) {
        await assert.rejects(upstream(options).forward(get(target), never), (error: WillisError) => {
          assert.equal(error.code, code);
          assert.match(error.message, words);
          return true;
        });
      }
    }
  });

  it('is dialled wherever it is, while what clients name is judged by its literal and its name', async () => {
    const [server, proxy] = [await origin(), await parent()];
    const guard = new DialGuard({ allow: [], deny: ['private', '*.evil.example'] });
    const one = upstream(through(proxy.url, { guard }));
    assert.equal(await textOf(await one.forward(get(at('http', 'a.example', server.port)), never)), 'hello');
    for (const host of ['127.0.0.1', '127.1', '[::1]', 'localhost', 'very.evil.example']) {
      for (const scheme of ['http', 'https'] as const) {
        await assert.rejects(one.forward(get(at(scheme, host, server.port)), never), failsWith('destination-refused'));
      }
    }
    assert.equal(proxy.requests.length, 1);
  });

  it('is passed by for what upstream.noProxy names, and the guard judges the address then', async () => {
    const [server, proxy] = [await origin(), await parent()];
    const one = upstream(through(proxy.url, { noProxy: ['private'] }));
    assert.equal(await textOf(await one.forward(get(at('http', '127.0.0.1', server.port)), never)), 'hello');
    assert.equal(proxy.connections, 0);
    const guard = new DialGuard({ allow: [], deny: ['private'] });
    const guarded = upstream(through(proxy.url, { noProxy: ['private'], guard }));
    await assert.rejects(
      guarded.forward(get(at('http', '127.0.0.1', server.port)), never),
      failsWith('destination-refused'),
    );
  });
});

const countsOf = ({ connections: { open, idle, waiting, origins } }: HttpUpstream) => ({
  open,
  idle,
  waiting,
  origins,
});
