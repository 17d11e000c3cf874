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
  override readonly name = 'CallFailed';
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

  async #call(method: string, path: string, content: Buffer | null): Promise<unknown> {
    const { url, source } = this.address;
    try {
      const { status, type, text } = await this.#exchange(method, path, content);
      if (status === 200 && type.startsWith('application/json')) return JSON.parse(text) as unknown;
      throw new CallFailed(this.#refusal(status, type, text));
    } catch (error) {
      if (error instanceof CallFailed) throw error;
      throw new CallFailed(`no answer from ${url.href} (${source}): ${reasonOf(error)}`, { cause: error });
    }
  }

  async #exchange(method: string, path: string, content: Buffer | null): Promise<Answer> {
    const { url, token, certificate } = this.address;
    const headers: Record<string, string | number> = { Accept: 'application/json' };
    if (content !== null)
      Object.assign(headers, { 'Content-Type': 'application/json', 'Content-Length': content.length });
    if (token !== null) headers['Authorization'] = `Bearer ${token}`;
    const options: RequestOptions = { method, path, headers };
    if (certificate !== null) {
      const socket = await connectTo(url, certificate.raw);
      return exchange(secureRequest(url, { ...options, createConnection: () => socket }), content);
    }
    return exchange(
      (url.protocol === 'https:' ? secureRequest : plainRequest)(url, { ...options, agent: false }),
      content,
    );
  }

  #refusal(status: number, type: string, text: string): string {
    const { url, source, token, tokenFault } = this.address;
    const problem = type.startsWith('application/problem+json') ? (JSON.parse(text) as Problem) : null;
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

/** Runs a command against a node; what goes wrong is printed, and ends it with `failure` or `configuration`. */
export async function withNode(
  options: OperatorOptions,
  console: Console,
  action: (client: OperatorClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const address = operatorAddress(options, console);
  if (typeof address === 'number') return address;
  try {
    return await action(new OperatorClient(address));
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    console.err(`willis: ${error.message}\n`);
    return exitCodes.failure;
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

function exchange(request: ClientRequest, content: Buffer | null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.setTimeout(patience, () => request.destroy(new Error('it takes too long')));
    request.on('error', reject);
    request.on('response', (response) => void readText(response).then(resolve, reject));
    request.end(content ?? undefined);
  });
}

async function readText(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const type = response.headers['content-type'] ?? '';
  return { status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString('utf8') };
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

function reasonOf(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : String(error);
  return error.code === 'ECONNREFUSED' ? 'nobody listens there. Is the node running?' : error.message;
}
