import assert from 'node:assert/strict';
import { RawClient, type RawClientOptions, type RawResponse } from '../support/raw-client.js';
import { startWillis, type Willis, type WillisOptions } from '../support/willis.js';

type Lines = Readonly<Record<string, string>>;

/** A node with all three listeners, and an operator who talks to it. */
export class OperatedWillis {
  constructor(readonly willis: Willis) {}

  static async start(
    config: Readonly<Record<string, unknown>> = {},
    options: WillisOptions = {},
  ): Promise<OperatedWillis> {
    const listen = { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: '127.0.0.1:0' };
    return new OperatedWillis(await startWillis({ ...options, config: { listen, ...config } }));
  }

  get port(): number {
    return this.willis.adminPort;
  }

  /** One request to the operator side on a connection of its own, and its answer. */
  async ask(
    method: string,
    path: string,
    fields: Lines = {},
    body = '',
    options: RawClientOptions = {},
  ): Promise<RawResponse> {
    const client = await RawClient.connect(this.port, options);
    const framing: Lines =
      body === '' && method !== 'POST' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    client.request(method, path, { Host: `127.0.0.1:${this.port}`, ...framing, ...fields }, body);
    const response = await client.receive(method);
    client.close();
    return response;
  }

  post(path: string, content: unknown, fields: Lines = {}): Promise<RawResponse> {
    return this.ask('POST', path, { 'Content-Type': 'application/json', ...fields }, JSON.stringify(content));
  }

  /** The JSON that an accepted call gives. */
  async call<T>(path: string, content: unknown): Promise<T> {
    const response = await this.post(path, content);
    assert.equal(response.status, 200, response.body.toString());
    return JSON.parse(response.body.toString()) as T;
  }

  async purge(what: Readonly<Record<string, unknown>>): Promise<number> {
    return (await this.call<{ purged: number }>('/api/purge', what)).purged;
  }

  stop(): Promise<void> {
    return this.willis.stop();
  }
}
