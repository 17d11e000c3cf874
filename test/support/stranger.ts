import { randomBytes } from 'node:crypto';
import { epochMs } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import { joinRequestText, type JoinRequest } from '../../replication/tree/join-request.js';
import { CallKey } from '../../wlis/call-key.js';
import { callSignature } from '../../wlis/signed-request.js';
import { newPrivateJwk } from '../../wlis/trust/jws.js';
import { RawClient, type RawResponse } from './raw-client.js';

export interface StrangersCall {
  readonly method: string;
  /** Behind `/.well-known/wlis/`. */
  readonly path: string;
  readonly content?: string;
  /** Milliseconds by which its clock is wrong. */
  readonly late?: number;
  /** The node that it is signed for, if that is another one than the one it is sent to. */
  readonly signedFor?: string;
}

/** Somebody with a key, who makes calls to nodes as their group would. */
export class Stranger {
  private constructor(readonly key: CallKey) {}

  static async make(): Promise<Stranger> {
    return new Stranger(new CallKey(await newPrivateJwk()));
  }

  get id(): string {
    return this.key.id;
  }

  /** The content of a call to join. */
  request(over: Partial<JoinRequest> = {}): string {
    return joinRequestText({
      ...{ key: this.key.publicKey, urls: [], place: null, capacity: 1, subset: null, update: 'immediately' },
      ...{ held: null, source: null, group: null, token: null },
      ...over,
    });
  }

  /** The whole text of a call. @param authority of the node */
  signed(authority: string, { method, path, content, late = 0, signedFor = authority }: StrangersCall): string {
    const target = {
      scheme: 'http',
      host: '',
      port: 0,
      authority: signedFor,
      path: `/.well-known/wlis/${path}`,
    } as const;
    const body = content === undefined ? null : Buffer.from(content);
    const now = epochMs(systemClock.now() - late);
    const nonce = randomBytes(16).toString('base64url');
    const fields = callSignature({ method, target, content: body }, this.key, nonce, now);
    return callText(authority, { method, path, ...(content !== undefined && { content }) }, fields);
  }

  join(namespace: string, over: Partial<JoinRequest> = {}): StrangersCall {
    return { method: 'PUT', path: this.place(namespace), content: this.request(over) };
  }

  place(namespace: string): string {
    return `replicas/${this.id}?namespace=${encodeURIComponent(namespace)}`;
  }
}

/** @param fields names and values in turns */
export function callText(
  authority: string,
  { method, path, content }: Pick<StrangersCall, 'method' | 'path' | 'content'>,
  fields: readonly string[] = [],
): string {
  const lines = [`${method} /.well-known/wlis/${path} HTTP/1.1`, `Host: ${authority}`];
  if (content !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(content)}`);
  for (let i = 0; i < fields.length; i += 2) lines.push(`${fields[i] ?? ''}: ${fields[i + 1] ?? ''}`);
  // clients send a text as it is, byte by byte
  return `${lines.join('\r\n')}\r\n\r\n${Buffer.from(content ?? '').toString('latin1')}`;
}

/** Sends it on a connection of its own. */
export async function sendText(port: number, text: string): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  try {
    client.send(text);
    return await client.receive(text.slice(0, text.indexOf(' ')));
  } finally {
    client.close();
  }
}

/** The status of an answer, and the last part of the problem that it tells of. */
export function problemOf({ status, body }: Pick<RawResponse, 'status' | 'body'>): string {
  const type = /"type":"urn:willis:problem:([a-z-]+)"/.exec(body.toString())?.[1] ?? '';
  return `${status} ${type}`.trimEnd();
}
