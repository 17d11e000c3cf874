import { randomBytes } from 'node:crypto';
import type { Bytes, EpochMs } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import type { Clock } from '../../proxy/base/clock.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import { BufferedBody, readAll, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { parseRequestTarget } from '../../proxy/http/request-target.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import type { CallKey } from '../call-key.js';
import { callSignature } from '../signed-request.js';
import { CallFailed } from './call-failed.js';
import { secondsText, unreachable } from './call-failures.js';
import { CALLS } from './call-target.js';
import { GunzippedBody } from './gunzipped-body.js';
import type { CallAnswer, NodeCall, NodeCaller } from './node-caller.js';
import { PatientBody } from './patient-body.js';

export interface HttpNodeCallerOptions {
  /** Whose own limit of silence before an answer is longer than that of any call. */
  readonly upstream: Upstream;
  /** Signs the calls; null for a node that has no key, and makes only calls that anybody may make. */
  readonly key: CallKey | null;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/** Makes calls over HTTP. Follows no redirect, keeps no cookie. All of it rejects with the reason of the call's signal too. */
export class HttpNodeCaller implements NodeCaller {
  readonly #options: HttpNodeCallerOptions;

  constructor(options: HttpNodeCallerOptions) {
    this.#options = options;
  }

  async ask(call: NodeCall, longest: Bytes): Promise<CallAnswer> {
    const { status, fields, body } = await this.open(call);
    const content = await readAll(body, longest).catch((error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
      throw new CallFailed('not-believed', call.url, 'too-large', `an answer of more than ${longest} bytes`);
    });
    try {
      return { status, fields, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content) };
    } catch (cause) {
      throw new CallFailed('not-believed', call.url, 'malformed', 'an answer that is no UTF-8', { cause });
    }
  }

  async open(call: NodeCall): Promise<{ readonly status: number; readonly fields: Fields; readonly body: Body }> {
    call.signal.throwIfAborted();
    const { status, fields, body } = await this.#forward(call);
    if (body === null) return { status, fields, body: BufferedBody.from('') };
    const { url, patience, signal } = call;
    const patient = new PatientBody(body, { url, patience, signal, clock: this.#options.clock });
    const coding = (fields.get('content-encoding') ?? 'identity').toLowerCase();
    if (coding === 'identity') return { status, fields, body: patient };
    if (coding === 'gzip' || coding === 'x-gzip') return { status, fields, body: new GunzippedBody(patient, url) };
    patient.cancel();
    throw new CallFailed('not-believed', url, 'malformed', 'an answer in a coding that was not asked for');
  }

  async #forward(call: NodeCall): Promise<IncomingResponse> {
    const { url, patience, signal } = call;
    const cancellation = new Cancellation();
    const givenUp = new WillisError('upstream-timeout', `no answer in ${secondsText(patience)}`);
    const timer = setTimeout(() => cancellation.cancel(givenUp), patience);
    const onAbort = (): void => cancellation.cancel(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#options.upstream.forward(this.#request(call), { cancellation });
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(url, cancellation.reason ?? error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #request(call: NodeCall): OutgoingRequest {
    const { method, path, fields } = call;
    const target = targetOf(call);
    const content = call.content === null ? null : Buffer.from(call.content);
    const { key, now } = this.#options;
    const signed =
      key === null ? [] : callSignature({ method, target, content }, key, randomBytes(16).toString('base64url'), now());
    const own = new Fields([...fields]);
    const lines = [
      ...['Host', target.authority],
      ...(own.has('accept-encoding') ? [] : ['Accept-Encoding', 'gzip']),
      ...(isNamedByDigest(path) ? [] : ['Cache-Control', 'no-store']),
      ...(content === null ? [] : ['Content-Type', 'application/json']),
      ...fields,
      ...signed,
    ];
    return { method, target, fields: new Fields(lines), body: content === null ? null : BufferedBody.from(content) };
  }
}

/** Only such answers may come out of a cache. */
const isNamedByDigest = (path: string): boolean => /^(?:blob|blocks)\//.test(path);

/** @throws CallFailed for what is no URL of a node */
function targetOf({ url, method, path }: NodeCall): TargetUri {
  const text = `${url.replace(/\/$/, '')}${CALLS}${path}`;
  try {
    const parsed = parseRequestTarget(text, { method, host: undefined, secure: false, ownAuthority: '' });
    if (parsed.form === 'absolute') return parsed.target;
  } catch (error) {
    throw unreachable(url, error);
  }
  throw new CallFailed('unreachable', url, 'bad-request', 'this is not the URL of a node');
}
