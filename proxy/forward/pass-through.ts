import { Agent, IncomingMessage, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProxyServer } from 'http-proxy';
import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { Fields } from '../http/fields.js';
import { answerError } from './answer-error.js';
import { whileClientStays } from './client-presence.js';
import type { Dialler } from './dialler.js';
import type { Carried } from './relay.js';
import { contentOf } from './response-receiver.js';
import { UpgradeBridge } from './upgrade-bridge.js';
import type { OutgoingRequest } from './upstream.js';

export interface PassUpgradeOptions {
  readonly dialler: Dialler;
  /** From the request to the head of the answer. */
  readonly firstByteTimeout: Milliseconds;
  readonly signal: AbortSignal;
  /** This node's member for the answer's `Via` (RFC 9110 §7.6.3). */
  readonly via?: string;
  /** Called once after an answer was passed on, when the client's connection is over. */
  readonly onClosed?: (passed: Carried) => void;
}

/**
 * Passes a WebSocket handshake (RFC 6455 §4) on, and after a 101 (Switching Protocols) the bytes of both sides. The
 * request's fields are complete and clean but for `Connection: Upgrade` and `Upgrade: websocket`. Resolves when the head
 * of the answer has been passed on: with `open`, or with the status of an answer that is no 101 and is being sent to its
 * end with `Connection: close`. From then on the client's connection is owned here; before, nothing was written to it and
 * the caller answers.
 * @throws WillisError of the table's upstream part, destination-refused, client-gone
 */
export async function passUpgrade(
  request: OutgoingRequest,
  client: Duplex,
  head: Buffer,
  options: PassUpgradeOptions,
): Promise<'open' | { readonly status: number }> {
  return whileClientStays(client, options.signal, async (signal) => {
    const { scheme, host, port } = request.target;
    const origin = await options.dialler.dial({ host, port, secure: scheme === 'https' }, signal);
    return handshake(request, client, head, origin, signal, options);
  });
}

function handshake(
  request: OutgoingRequest,
  client: Duplex,
  head: Buffer,
  origin: Socket,
  signal: AbortSignal,
  options: PassUpgradeOptions,
): Promise<'open' | { readonly status: number }> {
  return new Promise((resolve, reject) => {
    const bridge = new UpgradeBridge(client, origin, head);
    let settled = false;
    const fail = (error: unknown): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      bridge.withdraw();
      origin.destroy();
      reject(signal.aborted ? (signal.reason as Error) : answerError(error));
    };
    const onAbort = (): void => fail(signal.reason);
    const pass = (answer: 'open' | { readonly status: number }): void => {
      settled = true;
      signal.removeEventListener('abort', onAbort);
      bridge.commit(options.signal, { discard: answer !== 'open' });
      bridge.once('close', () => options.onClosed?.(bridge.carried()));
      resolve(answer);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) {
      onAbort();
      return;
    }
    send(incomingMessage(request, client), bridge, origin, options, { pass, fail });
  });
}

/** Sends the handshake to the origin server; the library joins the two sides if the verdict on its answer lets it. */
function send(
  handshake: IncomingMessage,
  bridge: UpgradeBridge,
  origin: Socket,
  { firstByteTimeout: upgradeTimeout, via }: PassUpgradeOptions,
  verdict: Verdict,
): void {
  const proxy = new ProxyServer({});
  proxy.on('error', verdict.fail);
  proxy.on('proxyReqWs', (message) => {
    message.maxHeadersCount = 0;
    watch(message, handshake.method ?? '', via, verdict);
  });
  const settings = { target: new URL('http://origin.invalid'), agent: new OneSocketAgent(origin), upgradeTimeout };
  proxy.ws(handshake, bridge as unknown as Socket, settings).catch(verdict.fail);
}

interface Verdict {
  readonly pass: (answer: 'open' | { readonly status: number }) => void;
  readonly fail: (error: unknown) => void;
}

/** Judges the answer before the library, whose listeners come later, passes it on. */
function watch(message: ClientRequest, method: string, via: string | undefined, { pass, fail }: Verdict): void {
  message.prependListener('upgrade', (response: IncomingMessage) => {
    const fields = new Fields(response.rawHeaders);
    const agreed =
      response.statusCode === 101 &&
      fields.list('upgrade').length === 1 &&
      fields.list('upgrade')[0]?.toLowerCase() === 'websocket' &&
      fields.list('connection').some((option) => option.toLowerCase() === 'upgrade');
    if (!agreed) {
      fail(new WillisError('upstream-malformed', 'the origin server switched to something that was not asked for'));
      return;
    }
    addVia(response, via);
    pass('open');
  });
  message.prependListener('response', (response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    const version = response.httpVersion === '1.0' ? '1.0' : '1.1';
    try {
      if (status < 200) throw new WillisError('upstream-malformed', `status ${status} without Upgrade`);
      contentOf(method, {
        status,
        reason: response.statusMessage ?? '',
        fields: new Fields(response.rawHeaders),
        version,
      });
    } catch (error) {
      fail(error);
      return;
    }
    addVia(response, via);
    pass({ status });
  });
}

/** The library sends `headers` as they are after its listeners were told of the response. */
function addVia(response: IncomingMessage, via: string | undefined): void {
  if (via === undefined) return;
  const before = response.headers.via;
  response.headers.via = before === undefined ? via : `${before}, ${via}`;
}

/** The request in the form that the library reads. */
function incomingMessage(request: OutgoingRequest, client: Duplex): IncomingMessage {
  const message = new IncomingMessage(client as unknown as Socket);
  message.method = request.method;
  message.url = request.target.path;
  message.httpVersion = '1.1';
  message.httpVersionMajor = 1;
  message.httpVersionMinor = 1;
  message.rawHeaders = [...request.fields.lines];
  for (const name of request.fields.names()) {
    const values = request.fields.all(name);
    message.headers[name] = values.length === 1 ? values[0] : values;
  }
  return message;
}

/** Gives the library the connection that is already there. */
class OneSocketAgent extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: false, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): Socket {
    return this.#socket;
  }
}
