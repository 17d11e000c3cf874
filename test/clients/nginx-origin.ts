import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TempDir } from '../support/temp-dir.js';

/** Serves a directory with nginx on a free port of 127.0.0.1, with lists of files and, for text, gzip. */
export async function startNginx(root: string): Promise<NginxOrigin> {
  const directory = await TempDir.create();
  const port = await freePort();
  const file = await directory.write('nginx.conf', configuration(directory.path, root, port));
  const child = spawn('nginx', ['-p', directory.path, '-e', join(directory.path, 'error.log'), '-c', file], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    stdio: 'ignore',
  });
  const origin = new NginxOrigin(port, child, directory);
  try {
    await Promise.race([answers(port), ended(child)]);
    return origin;
  } catch (error) {
    await origin.close();
    throw error;
  }
}

/** A real origin server, with validators, ranges and lists of files as most sites have them. */
export class NginxOrigin {
  constructor(
    private readonly port: number,
    private readonly child: ChildProcess,
    private readonly directory: TempDir,
  ) {}

  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The requests that have ended so far: method, target, status and Range. */
  async requests(): Promise<string[]> {
    // It is one process, which writes the line of a request in the same turn as the last of the answer: what was
    // answered before this is in the log after it.
    await (await fetch(this.url(marker))).arrayBuffer();
    const log = await readFile(join(this.directory.path, 'access.log'), 'utf8');
    return log.split('\n').filter((line) => line !== '' && !line.includes(marker));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await exit;
    }
    await this.directory.remove();
  }
}

const marker = '/no-such-file-only-a-mark';

const configuration = (directory: string, root: string, port: number): string => `
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 512; }
http {
  types { text/html html; text/css css; image/png png; }
  log_format plain '$request_method $request_uri $status $http_range';
  access_log ${directory}/access.log plain;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(' ')}
  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_min_length 100;
  gzip_types text/css;
  server {
    listen 127.0.0.1:${port};
    root ${root};
    autoindex on;
  }
}
`;

/** Free when it was looked for: nginx does not tell which port it was given. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    } finally {
      socket.destroy();
    }
  }
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`nginx ended with ${code ?? 'a signal'}`);
}
