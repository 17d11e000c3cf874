import { get, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  /** Length of the status line and the fields, as far as can be told afterwards. */
  readonly headBytes: number;
  readonly body: Buffer;
}

/** One GET on a connection of its own; refused after 5 s without progress. */
export function fetchOnce(
  uri: string,
  signal: AbortSignal,
  fields: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(uri, { agent: false, signal, timeout: 5000, headers: fields }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const { statusCode: status = 0, statusMessage = '', rawHeaders, headers } = response;
        const startLine = `HTTP/1.1 ${status} ${statusMessage}\r\n\r\n`;
        // A name is followed by a colon and a space, a value by CRLF.
        const headBytes = startLine.length + rawHeaders.join('').length + 2 * rawHeaders.length;
        resolve({ status, fields: headers, headBytes, body: Buffer.concat(parts) });
      });
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer from ${uri} within 5 s`)));
    request.on('error', reject);
  });
}
