import { Agent, request, type IncomingHttpHeaders } from 'node:http';

export interface Question {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly content?: string;
  /** After how many bytes of the answer the client goes away. */
  readonly goAfter?: number;
}

export interface Given {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether it came to its end. */
  readonly isWhole: boolean;
}

/** Connections of clients, each kept for the next request. */
export class Connections {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  /** Null: the connection ended before an answer began. */
  ask({ port, method, path, fields = {}, content, goAfter = Infinity }: Question): Promise<Given | null> {
    return new Promise((resolve) => {
      const headers = {
        Host: 'site.test',
        ...(content === undefined ? {} : { 'Content-Length': content.length }),
        ...fields,
      };
      const sent = request({ port, method, path, headers, agent: this.#agent, host: '127.0.0.1' });
      sent.on('error', () => resolve(null));
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        let received = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          received += chunk.length;
          if (received > goAfter) response.destroy();
        });
        response.on('error', () => undefined);
        response.on('close', () =>
          resolve({
            ...{ status: response.statusCode ?? 0, fields: response.headers },
            ...{ body: Buffer.concat(chunks), isWhole: response.complete },
          }),
        );
      });
      sent.end(content);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
