import { request as plainRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { milliseconds } from '../../config/units.js';
import { isSystemError } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { operatorAddress, type OperatorAddress, type OperatorOptions } from './operator-address.js';

/** For a node that has taken a call and does not answer: a purge goes through all that is stored. */
const patience = milliseconds(120_000);

/** A call that brought nothing; its message says in lines for people why, and what to do. */
export class CallFailed extends Error {
  override readonly name: string = 'CallFailed';
  /** What the node calls it, in its error table or beside it; null if it did not say. */
  readonly code: string | null;

  constructor(message: string, { code = null, ...options }: ErrorOptions & { readonly code?: string | null } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Nobody listens where the node should: it does not run, or listens elsewhere. */
export class NobodyListens extends CallFailed {
  override readonly name = 'NobodyListens';
}

/** What is told of work while it goes on. */
export interface Following {
  /** Gives it up: the connection is closed, which ends the work. */
  readonly signal: AbortSignal;
  /** Called with each line, parsed. */
  readonly onLine: (line: unknown) => void;
}

/** Asks the operator side of one node. */
export class OperatorClient {
  constructor(private readonly address: OperatorAddress) {}

  /** @throws CallFailed */
  get(path: string): Promise<unknown> {
    return this.#call('GET', path, null);
  }

  /** @throws CallFailed */
  post(path: string, content: unknown): Promise<unknown> {
    return this.#call('POST', path, Buffer.from(JSON.stringify(content)));
  }

  /** Asks for work that tells of itself in lines of JSON. Fulfilled when it is over, or given up. @throws CallFailed */
  async follow(path: string, content: unknown, { signal, onLine }: Following): Promise<void> {
    try {
      const response = await this.#exchange('POST', path, Buffer.from(JSON.stringify(content)), signal);
      if (typeOf(response) !== 'application/x-ndjson') throw this.#refused(await readText(response));
      await readLines(response, onLine);
    } catch (error) {
      if (!signal.aborted) throw this.#noAnswer(error);
    }
  }

  async #call(method: string, path: string, content: Buffer | null): Promise<unknown> {
    try {
      const answer = await readText(await this.#exchange(method, path, content));
      if (answer.status === 200 && answer.type.startsWith('application/json'))
        return JSON.parse(answer.text) as unknown;
      throw this.#refused(answer);
    } catch (error) {
      throw this.#noAnswer(error);
    }
  }

  #noAnswer(error: unknown): CallFailed {
    const { url, source } = this.address;
    if (error instanceof CallFailed) return error;
    const message = `no answer from ${url.href} (${source}): ${reasonOf(error)}`;
    return isRefused(error) ? new NobodyListens(message, { cause: error }) : new CallFailed(message, { cause: error });
  }

  async #exchange(
    method: string,
    path: string,
    content: Buffer | null,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const { url, token, certificate } = this.address;
    const headers: Record<string, string | number> = { Accept: 'application/json' };
    if (content !== null)
      Object.assign(headers, { 'Content-Type': 'application/json', 'Content-Length': content.length });
    if (token !== null) headers['Authorization'] = `Bearer ${token}`;
    const options: RequestOptions = { method, path, headers, ...(signal !== undefined && { signal }) };
    if (certificate !== null) {
      const socket = await connectTo(url, certificate.raw);
      return exchange(secureRequest(url, { ...options, createConnection: () => socket }), content);
    }
    return exchange(
      (url.protocol === 'https:' ? secureRequest : plainRequest)(url, { ...options, agent: false }),
      content,
    );
  }

  #refused({ status, type, text }: Answer): CallFailed {
    const problem = type.startsWith('application/problem+json') ? (JSON.parse(text) as Problem) : null;
    return new CallFailed(this.#refusal(status, problem), { code: problem?.code ?? null });
  }

  #refusal(status: number, problem: Problem | null): string {
    const { url, source, token, tokenFault } = this.address;
    if (problem === null || typeof problem.detail !== 'string') {
      return `what answers at ${url.href} (${source}) is no Willis, or an older one: status ${status}`;
    }
    const hint =
      status !== 401 && problem.code !== 'operator-refused'
        ? ''
        : token === null
          ? `\n${tokenFault ?? 'Say where its token is: --token-file FILE'}`
          : '';
    return `${problem.detail}${problem.requestId === undefined ? '' : ` (request ${problem.requestId})`}${hint}`;
  }
}

/** Runs a command against a node; what goes wrong is printed, and ends it with `failed`, or as a wrong configuration does. */
export async function withNode(
  options: OperatorOptions,
  console: Console,
  action: (client: OperatorClient) => Promise<ExitCode>,
  failed: ExitCode = exitCodes.failure,
): Promise<ExitCode> {
  const address = operatorAddress(options, console);
  if (typeof address === 'number') return address === exitCodes.failure ? failed : address;
  try {
    return await action(new OperatorClient(address));
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    console.err(`willis: ${error.message}\n`);
    return failed;
  }
}

interface Problem {
  readonly detail?: string;
  readonly code?: string;
  readonly requestId?: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function exchange(request: ClientRequest, content: Buffer | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.setTimeout(patience, () => request.destroy(new Error('it takes too long')));
    request.on('error', reject);
    request.on('response', resolve);
    request.end(content ?? undefined);
  });
}

async function readText(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, type: typeOf(response), text: Buffer.concat(chunks).toString('utf8') };
}

const typeOf = ({ headers }: IncomingMessage): string => headers['content-type'] ?? '';

async function readLines(response: IncomingMessage, onLine: (line: unknown) => void): Promise<void> {
  let begun = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const lines = (begun + (chunk as string)).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line));
  }
}

/** Connects by TLS to the holder of one certificate, whatever its name, and whoever has signed it. */
function connectTo(url: URL, certificate: Buffer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(url.port === '' ? 443 : url.port), rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      if (socket.getPeerX509Certificate()?.raw.equals(certificate) === true) resolve(socket);
      else socket.destroy(new Error('it has another certificate than the one that is configured'));
    });
  });
}

const isRefused = (error: unknown): boolean => isSystemError(error) && error.code === 'ECONNREFUSED';

function reasonOf(error: unknown): string {
  if (isRefused(error)) return 'nobody listens there. Is the node running?';
  return error instanceof Error ? error.message : String(error);
}
