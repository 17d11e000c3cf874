import type { Socket } from 'node:net';
import { asWillisError, WillisError } from '../base/errors.js';
import { Fields } from '../http/fields.js';
import { InputBuffer } from '../http/input-buffer.js';
import type { Authority } from './dial-guard.js';
import type { ParentProxy } from './parent-proxy.js';
import { ResponseReceiver } from './response-receiver.js';

/** More interim responses than any proxy has use for. */
const mostInterim = 16;

/**
 * Asks the parent proxy for a tunnel on a connection to it (RFC 9110 §9.3.6). `via` is the value of `Via`. Afterwards the
 * socket leads to the other end and is like a new one, which is read when somebody listens; bytes that came with the answer
 * are the first of it. What a refusal has to say is not read: the connection is of no more use. It fails when the socket is
 * closed; time is the caller's to limit.
 * @throws WillisError parent-refused, parent-authentication, parent-failed
 */
export function connectThrough(
  socket: Socket,
  { host, port }: Authority,
  parent: ParentProxy,
  via: string,
): Promise<void> {
  const authority = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  const answer = new ConnectAnswer(authority, parent);
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void): void => {
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
      settled();
    };
    const onReadable = (): void => {
      try {
        const chunk = socket.read() as Buffer | null;
        const rest = chunk === null ? null : answer.receive(chunk);
        if (rest === null) return;
        settle(resolve);
        if (rest.length > 0) socket.unshift(rest);
      } catch (error) {
        settle(() => reject(asWillisError(error)));
      }
    };
    const onEnd = (): void => settle(() => reject(failed(parent, 'it closed the connection')));
    const onError = (error: Error): void => settle(() => reject(failed(parent, error.message, error)));
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
    const fields = new Fields(['Host', authority, ...parent.credentials, 'Via', via]);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\n${fields.wire()}\r\n`, 'latin1');
    if (socket.destroyed) onEnd();
  });
}

/** What a proxy says to CONNECT. */
class ConnectAnswer {
  readonly #input = new InputBuffer();
  readonly #receiver = new ResponseReceiver();
  readonly #authority: string;
  readonly #parent: ParentProxy;
  #interim = 0;

  constructor(authority: string, parent: ParentProxy) {
    this.#authority = authority;
    this.#parent = parent;
  }

  /** Null until the tunnel stands, then the first bytes of it. @throws WillisError if it will not stand */
  receive(chunk: Buffer): Buffer | null {
    this.#input.append(chunk);
    for (;;) {
      const status = this.#next();
      if (status === null) return null;
      // framing fields of such an answer mean nothing (RFC 9110 §9.3.6)
      if (status >= 200 && status < 300) return this.#input.take(this.#input.length);
      if (status === 407) throw this.#parent.unauthorised();
      if (status >= 200) {
        throw new WillisError(
          'parent-refused',
          `${this.#parent.name} answered ${status} to CONNECT ${this.#authority}`,
        );
      }
      if (status === 101 || ++this.#interim > mostInterim) throw failed(this.#parent, `interim responses to CONNECT`);
    }
  }

  #next(): number | null {
    try {
      return this.#receiver.receive(this.#input)?.status ?? null;
    } catch (error) {
      throw failed(this.#parent, error instanceof Error ? error.message : '', error);
    }
  }
}

const failed = (parent: ParentProxy, detail: string, cause?: unknown): WillisError =>
  new WillisError('parent-failed', `${parent.name}: ${detail}`, { cause });
