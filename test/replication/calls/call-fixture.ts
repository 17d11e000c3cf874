import { bytes, milliseconds, type EpochMs } from '../../../config/units.js';
import { systemClock } from '../../../proxy/base/clock.js';
import { WillisError } from '../../../proxy/base/errors.js';
import type { HttpUpstream } from '../../../proxy/forward/http-upstream.js';
import { CallHandler, type CallHandlerOptions } from '../../../wlis/calls/call-handler.js';
import type { HeldNamespaces } from '../../../replication/calls/held-namespaces.js';
import { holdingResources } from '../../../replication/calls/holding-resources.js';
import { HttpNodeCaller } from '../../../wlis/calls/http-node-caller.js';
import { HttpRemoteHolder, type HttpRemoteHolderOptions } from '../../../replication/calls/http-remote-holder.js';
import type { CallResource, ReceivedCall } from '../../../wlis/calls/received-call.js';
import { WaitingCalls } from '../../../wlis/calls/waiting-calls.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import { CallKey } from '../../../wlis/call-key.js';
import { CallReplays } from '../../../wlis/call-replays.js';
import { callWindow } from '../../../wlis/signed-request.js';
import { newPrivateJwk } from '../../../wlis/trust/jws.js';
import { createUpstream } from '../../forward/upstream-fixture.js';
import { startServer, testLimits, type TestServer } from '../../http/test-server.js';
import type { HeldFixture } from '../held-fixture.js';

export const newCallKey = async (): Promise<CallKey> => new CallKey(await newPrivateJwk());

export interface AnsweringNode {
  readonly url: string;
  readonly server: TestServer;
  readonly waiting: WaitingCalls;
  readonly errors: unknown[];
}

export interface AnsweringOptions {
  readonly admits?: (call: ReceivedCall) => void;
  readonly resources?: readonly (readonly [string, CallResource])[];
  readonly mostWaiting?: number;
  readonly now?: () => EpochMs;
  readonly handler?: Partial<CallHandlerOptions>;
}

/** A node that answers the calls about these namespaces, on a port of 127.0.0.1; closed by `closeServers`. */
export async function answeringNode(
  helds: readonly HeldFixture[],
  {
    admits = () => undefined,
    resources = [],
    mostWaiting = 16,
    now = () => systemClock.now(),
    handler = {},
  }: AnsweringOptions = {},
): Promise<AnsweringNode> {
  const waiting = new WaitingCalls(mostWaiting);
  const errors: unknown[] = [];
  let origin = '';
  const namespaces: HeldNamespaces = {
    get: (namespace) => {
      const held = helds.find((one) => one.namespace === namespace);
      return held && { held, admits };
    },
  };
  const [blobs] = helds.map((one) => one.blobs);
  const holding = blobs === undefined ? [] : holdingResources({ namespaces, blobs, waiting, clock: systemClock, now });
  const calls = new CallHandler({
    resources: new Map([...holding, ...resources]),
    origins: () => [origin],
    replays: new CallReplays(callWindow),
    now,
    logger: { error: ({ error }: { error?: unknown }) => void errors.push(error) },
    ...handler,
  });
  const server = await startServer(
    (request) => {
      if (CallHandler.isCall(request)) return calls.handle(request);
      throw new WillisError('not-found', 'no call');
    },
    { limits: { ...testLimits, uri: bytes(16_384), headerBytes: bytes(32_768) } },
  );
  origin = `http://127.0.0.1:${server.port}`;
  return { url: origin, server, waiting, errors };
}

export interface Callers {
  readonly caller: HttpNodeCaller;
  readonly key: CallKey;
  holder(
    url: string,
    held: Pick<HeldFixture, 'namespace' | 'keyFor'>,
    over?: Partial<HttpRemoteHolderOptions>,
  ): HttpRemoteHolder;
}

const upstreams: HttpUpstream[] = [];

/** Calls others with a key of its own; ended by `closeCallers`. */
export async function callers(): Promise<Callers> {
  const upstream = createUpstream({ firstByteTimeout: milliseconds(120_000), bodyTimeout: milliseconds(120_000) });
  upstreams.push(upstream);
  const key = await newCallKey();
  const caller = new HttpNodeCaller({ upstream, key, clock: systemClock, now: () => systemClock.now() });
  const usual = { caller, patience: milliseconds(10_000) };
  return {
    caller,
    key,
    holder: (url, { namespace, keyFor }, over = {}) =>
      new HttpRemoteHolder({ url, namespace, keyFor, ...usual, ...over }),
  };
}

export async function closeCallers(): Promise<void> {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
}

/** For `assert.rejects`: of that fault, for that reason, with a message that names the node and says as much. */
export const failing =
  (fault: CallFailed['fault'], reason: string | null, message = /./) =>
  (error: unknown): boolean => {
    if (!(error instanceof CallFailed)) throw new Error(`no CallFailed: ${String(error)}`, { cause: error });
    const fits = error.fault === fault && (reason === null || error.reason === reason) && message.test(error.message);
    if (fits && error.message.startsWith(`${error.url}: `)) return true;
    throw new Error(`${error.fault} ${error.reason}: ${error.message}`, { cause: error });
  };

export const unhurried = new AbortController().signal;

export async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of of) list.push(one);
  return list;
}
