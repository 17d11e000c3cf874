import assert from 'node:assert/strict';
import { KeptBooks } from '../support/kept-books.js';
import { answer } from '../support/origin-scripts.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';

const webSocket =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const json = 'Accept: application/json\r\n';
const html = 'Accept: text/html\r\n';

describe('the id of a request that fails', () => {
  let books: KeptBooks;
  let garbage: RawOrigin;
  beforeEach(async () => {
    garbage = await rawOrigin((socket) => void socket.end('garbage\r\n\r\n'));
    books = await KeptBooks.start({
      config: {
        access: { destinations: { allow: ['127.0.0.1'] }, connectPorts: [1] },
        limits: { drainTimeout: '1s', headerBytes: '2KiB' },
        sites: [
          { host: 'dead.test', origin: 'http://127.0.0.1:1/' },
          { host: 'garbage.test', origin: `http://127.0.0.1:${garbage.port}/` },
        ],
      },
    });
    books.willis.serve(answer(200));
  });
  afterEach(async () => {
    await books.willis.stop();
    await garbage.close();
  });

  const cases: readonly (readonly [what: string, side: 'proxy' | 'site' | 'admin', request: string, code: string])[] = [
    ['one that the node refuses', 'site', `GET / HTTP/1.1\r\nHost: nobody.test\r\n${json}\r\n`, 'misdirected'],
    [
      'one that the node refuses, told by a page',
      'site',
      `GET / HTTP/1.1\r\nHost: nobody.test\r\n${html}\r\n`,
      'misdirected',
    ],
    [
      'one for which the origin server fails',
      'site',
      `GET / HTTP/1.1\r\nHost: dead.test\r\n${json}\r\n`,
      'connect-refused',
    ],
    [
      'one for which the origin server fails, told by a page',
      'site',
      `GET / HTTP/1.1\r\nHost: garbage.test\r\n${html}\r\n`,
      'upstream-malformed',
    ],
    [
      'an unsafe one',
      'site',
      `POST / HTTP/1.1\r\nHost: dead.test\r\nContent-Length: 0\r\n${json}\r\n`,
      'connect-refused',
    ],
    ['one that is malformed', 'site', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'bad-request'],
    [
      'one that is too large',
      'proxy',
      `GET / HTTP/1.1\r\nHost: a\r\nLong: ${'x'.repeat(3000)}\r\n\r\n`,
      'fields-too-large',
    ],
    [
      'a CONNECT that is refused',
      'proxy',
      `CONNECT 127.0.0.1:2 HTTP/1.1\r\nHost: 127.0.0.1:2\r\n${json}\r\n`,
      'port-refused',
    ],
    [
      'a CONNECT that fails',
      'proxy',
      `CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n${json}\r\n`,
      'connect-refused',
    ],
    [
      'a CONNECT where there are no tunnels',
      'site',
      'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n',
      'method-not-allowed',
    ],
    [
      'a CONNECT to the operator',
      'admin',
      'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n',
      'method-not-allowed',
    ],
    [
      'an upgrade that is refused',
      'proxy',
      `GET http://10.0.0.1/ HTTP/1.1\r\nHost: 10.0.0.1\r\n${webSocket}${json}\r\n`,
      'destination-refused',
    ],
    [
      'an upgrade that fails',
      'site',
      `GET / HTTP/1.1\r\nHost: dead.test\r\n${webSocket}${json}\r\n`,
      'connect-refused',
    ],
  ];

  for (const [what, side, request, code] of cases) {
    it(`is the same in the answer, in the access log and in the event log: ${what}`, async () => {
      const client = await books.connect(side);
      client.send(request);
      const method = request.startsWith('CONNECT') ? 'CONNECT' : 'GET';
      const answered = await client.receive(method);
      books.expect(side, code, answered.status);
      client.close();
      const { log } = await books.close();
      const [line, ...more] = log;
      assert.deepEqual(more, []);
      const text = answered.body.toString();
      assert.ok(line !== undefined && line.id !== '', 'no id');
      if (request.includes('html'))
        assert.ok(text.includes(`<dd>${line.id}</dd>`) || text.includes(`>${line.id}<`), text);
      else assert.equal((JSON.parse(text) as { requestId: string }).requestId, line.id);
      const events = books.willis.events.filter((event) => event['code'] === code && 'id' in event);
      assert.deepEqual(
        events.map(({ id }) => id),
        [line.id],
      );
    });
  }

  it('stands in the events about an answer that breaks off', async () => {
    books.willis.serve((_request, response) => void response.end());
    const broken = await rawOrigin((socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'));
    await books.willis.reload({ sites: [{ host: '*', origin: `http://127.0.0.1:${broken.port}/` }] });
    books.expect('site', 'fwd=uri-miss', 200);
    const client = await books.connect();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await client.rest();
    client.close();
    await broken.close();
    const { log } = await books.close();
    const event = books.willis.events.find((one) => one['code'] === 'upstream-incomplete');
    assert.equal(event?.['id'], log[0]?.id);
    assert.equal(log[0]?.aborted, 'upstream');
  });
});
