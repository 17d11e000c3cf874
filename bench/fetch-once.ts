import { get, type Agent, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One GET, on a connection of its own unless an agent is given; refused after 5 s without progress. */
export function fetchOnce(uri: string, signal: AbortSignal, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(uri, { agent: agent ?? false, signal, timeout: 5000 }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, fields: response.headers, body: Buffer.concat(parts) });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from ${uri} within 5 s`)));
    request.on('error', reject);
  });
}
