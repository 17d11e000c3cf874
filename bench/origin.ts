import { mkdirSync, openSync, readSync, closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cores } from './cores.js';
import { fetchOnce } from './fetch-once.js';
import { freePort, ServerProcess } from './server-process.js';

/** How many answers of each status the origin has given; those to requests that no row makes are named in full. */
export type StatusCounts = Readonly<Record<string, number>>;

/** An address that nobody else on this machine happens to ask, whatever port it gets. */
const host = '127.0.0.2';

export const bodySizes = { '1k': 1000, '100k': 100_000, '1m': 1_000_000 } as const;

/**
 * The origin of all peers: an nginx with static files, so with validators and 304s, that counts its answers.
 *
 * | path        | body   | answer                                                        |
 * | ----------- | ------ | ------------------------------------------------------------- |
 * | /1k/…       | 1 kB   | fresh for an hour                                             |
 * | /100k/…     | 100 kB | fresh for an hour                                             |
 * | /1m/…       | 1 MB   | fresh for an hour                                             |
 * | /stale/…    | 1 kB   | `max-age=0`, and the same in nginx' own words                 |
 * | /unstored/… | 1 kB   | `no-store`                                                    |
 * | /mark?n=…   |        | 204; puts n into the log of answers, after which it is read   |
 */
export class Origin {
  readonly host = host;
  #marks = 0;
  #readTo = 0;
  #unread = '';

  private constructor(
    readonly port: number,
    private readonly server: ServerProcess,
    private readonly log: string,
  ) {}

  static async start(directory: string, signal: AbortSignal): Promise<Origin> {
    const files = join(directory, 'files');
    mkdirSync(files);
    for (const [name, size] of Object.entries(bodySizes)) writeFileSync(join(files, name), 'x'.repeat(size));
    const port = await freePort(host);
    const log = join(directory, 'answers.log');
    const file = join(directory, 'origin.conf');
    writeFileSync(file, configuration(directory, files, log, port));
    const args = ['-p', directory, '-c', file, '-e', join(directory, 'error.log')];
    const command = { file: 'nginx', args, core: cores.rest, directory };
    const server = await ServerProcess.start(command, `http://${host}:${port}/1k/first`, signal);
    return new Origin(port, server, log);
  }

  /** Answers since the last call, by status; those that were still under way at either call are in the later count. */
  async answersSinceLast(signal: AbortSignal): Promise<StatusCounts> {
    const mark = `m${++this.#marks}`;
    await fetchOnce(`http://${host}:${this.port}/mark?n=${mark}`, signal);
    const text = await this.#readUntil(mark, signal);
    const counts: Record<string, number> = {};
    for (const line of text.split('\n')) {
      if (line !== '') counts[line] = (counts[line] ?? 0) + 1;
    }
    return counts;
  }

  /** Fulfilled when answers that were under way are over, and are in no later count. */
  async settled(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt++) {
      await delay(200, undefined, { signal });
      if (Object.keys(await this.answersSinceLast(signal)).length === 0) return;
    }
    throw new Error('the origin is asked without end');
  }

  stop = (): Promise<void> => this.server.stop();

  /** The log up to the mark. */
  async #readUntil(mark: string, signal: AbortSignal): Promise<string> {
    for (let attempt = 0; attempt < 100; attempt++) {
      this.#unread += this.#readOn();
      const [before = '', after] = this.#unread.split(`${mark}\n`);
      if (after !== undefined) {
        this.#unread = after;
        return before;
      }
      await delay(50, undefined, { signal });
    }
    throw new Error('the origin no longer writes its log of answers');
  }

  #readOn(): string {
    const file = openSync(this.log, 'r');
    const parts: Buffer[] = [];
    for (;;) {
      const part = Buffer.alloc(1 << 20);
      const size = readSync(file, part, 0, part.length, this.#readTo);
      if (size === 0) break;
      this.#readTo += size;
      parts.push(part.subarray(0, size));
    }
    closeSync(file);
    return Buffer.concat(parts).toString('latin1');
  }
}

const configuration = (directory: string, files: string, log: string, port: number): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${directory}/origin.pid; error_log ${directory}/error.log warn;
events { worker_connections 4096; }
http {
  default_type text/plain; sendfile on; open_file_cache max=16 inactive=1h;
  keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  log_format status '$status';
  log_format other '$status $request_uri';
  log_format mark '$arg_n';
  access_log ${log} status buffer=64k flush=100ms;
  server {
    listen ${host}:${port} backlog=1024;
    root ${files};
    location /1k/ { add_header Cache-Control "max-age=3600"; try_files /1k =404; }
    location /100k/ { add_header Cache-Control "max-age=3600"; try_files /100k =404; }
    location /1m/ { add_header Cache-Control "max-age=3600"; try_files /1m =404; }
    location /stale/ { add_header X-Accel-Expires "@1"; add_header Cache-Control "max-age=0"; try_files /1k =404; }
    location /unstored/ { add_header Cache-Control "no-store"; try_files /1k =404; }
    location / { access_log ${log} other buffer=64k flush=100ms; return 404; }
    location /mark { access_log ${log} mark buffer=64k flush=100ms; return 204; }
  }
}
`;
