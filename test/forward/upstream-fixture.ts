import { milliseconds } from '../../config/units.js';
import { bytes } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { systemClock } from '../../proxy/base/clock.js';
import type { ErrorCode } from '../../proxy/base/errors.js';
import { WillisError } from '../../proxy/base/errors.js';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import { Dialler, type DiallerOptions } from '../../proxy/forward/dialler.js';
import { HttpUpstream, type HttpUpstreamOptions } from '../../proxy/forward/http-upstream.js';
import type { IncomingResponse, OutgoingRequest } from '../../proxy/forward/upstream.js';
import { UpstreamMetrics } from '../../proxy/forward/upstream-metrics.js';
import { readAll } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';

export const openGuard = new DialGuard({ allow: [], deny: [] });

/** One that connects directly, to anywhere. */
export const createDialler = (options: Partial<DiallerOptions> = {}): Dialler =>
  new Dialler({
    guard: openGuard,
    ca: [],
    connectTimeout: milliseconds(5000),
    parent: null,
    noProxy: [],
    via: '1.1 test',
    ...options,
  });

/** An upstream without limits that a test would meet by chance. */
export const createUpstream = (options: Partial<HttpUpstreamOptions & DiallerOptions> = {}): HttpUpstream =>
  new HttpUpstream({
    dialler: createDialler(options),
    origins: 1000,
    connectTimeout: milliseconds(5000),
    firstByteTimeout: milliseconds(5000),
    bodyTimeout: milliseconds(5000),
    connections: 8,
    keepAlive: milliseconds(10_000),
    logger: { debug: () => undefined },
    metrics: new UpstreamMetrics(systemClock),
    ...options,
  });

export const get = (target: TargetUri, more: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
  method: 'GET',
  target,
  fields: Fields.of({ Host: target.authority }),
  body: null,
  ...more,
});

/** Never cancelled, nor aborted. */
export const never = { cancellation: new Cancellation(), signal: new AbortController().signal };

export async function textOf(response: IncomingResponse): Promise<string> {
  if (response.body === null) return '';
  return (await readAll(response.body, bytes(100_000_000))).toString('latin1');
}

/** For assert.rejects: a failure of the error table with that code. */
export const failsWith = (code: ErrorCode) => (error: unknown) => {
  if (error instanceof WillisError && error.code === code) return true;
  throw new Error(`expected ${code}, got ${String(error)}`, { cause: error });
};
