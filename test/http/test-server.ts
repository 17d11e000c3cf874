import { bytes, milliseconds, type Bytes } from '../../config/units.js';
import { systemClock, type Clock } from '../../proxy/base/clock.js';
import type { WillisError } from '../../proxy/base/errors.js';
import type { Logger } from '../../proxy/base/logger.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import type { Outcome, RequestHandler } from '../../proxy/http/request-handler.js';
import { HttpServer, type ServerSettings } from '../../proxy/http/server.js';

export interface Finished {
  readonly request: Request | null;
  readonly response: Response;
  readonly outcome: Outcome;
}

export interface TestServer {
  readonly server: HttpServer;
  readonly settings: ServerSettings;
  readonly port: number;
  readonly refused: WillisError[];
  readonly finished: Finished[];
  readonly logged: string[];
  /** Fulfilled once that many exchanges are over. */
  finishedCount(count: number): Promise<void>;
}

export const testLimits: ServerSettings['limits'] = {
  headerBytes: bytes(4096),
  headers: 32,
  uri: bytes(1024),
  headerTimeout: milliseconds(10_000),
  idleTimeout: milliseconds(10_000),
  bodyTimeout: milliseconds(10_000),
  bodyRate: bytes(0),
  connections: 10_000,
  perClientConnections: 10_000,
  clientPrefix: { ipv4: 32, ipv6: 64 },
};

const nobody = { announces: () => false, isExempt: () => false };

const running: HttpServer[] = [];

/** Starts a server on port 0 that is closed by `closeServers`. */
export async function startServer(
  request: RequestHandler['request'],
  options: Partial<Omit<ServerSettings, 'handler'>> & { handler?: Partial<RequestHandler>; clock?: Clock } = {},
): Promise<TestServer> {
  const refused: WillisError[] = [];
  const finished: Finished[] = [];
  const logged: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = new HttpServer({
    address: { host: '127.0.0.1', port: 0 },
    clock: options.clock ?? systemClock,
    logger: collectingLogger(logged),
  });
  const observer: ServerSettings['observer'] = {
    onRefused(error) {
      refused.push(error);
      return text(error.code, error.kind.status);
    },
    onFinished(received, response, outcome) {
      finished.push({ request: received, response, outcome });
      for (const { count, resolve } of waiting) if (finished.length >= count) resolve();
    },
  };
  const settings: ServerSettings = {
    name: 'test',
    tls: null,
    limits: testLimits,
    clients: nobody,
    observer,
    ...options,
    handler: { request, connect: (_, socket) => void socket.destroy(), upgrade: () => false, ...options.handler },
  };
  running.push(server);
  server.configure(settings);
  const { port } = await server.listen();
  const finishedCount = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (finished.length >= count) resolve();
      else waiting.push({ count, resolve });
    });
  return { server, settings, port, refused, finished, logged, finishedCount };
}

export async function closeServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.close(milliseconds(0))));
}

/** A plain answer. */
export const text = (content: string, status = 200, fields: Record<string, string> = {}): Response => ({
  status,
  reason: 'Some Reason',
  fields: Fields.of(fields),
  body: BufferedBody.from(content),
});

/** A body of unknown or claimed length whose chunks come from a function; a thrown error breaks it. */
export function bodyFrom(
  next: () => Buffer | null | Promise<Buffer | null>,
  length: number | null = null,
  onCancel: (reason?: Error) => void = () => undefined,
): Body {
  const claimed: Bytes | null = length === null ? null : bytes(length);
  return { length: claimed, trailers: Fields.none, read: next, cancel: onCancel };
}

function collectingLogger(lines: string[]): Logger {
  const log = (_: object, message: string): void => void lines.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger, flush: () => undefined };
  return logger;
}
