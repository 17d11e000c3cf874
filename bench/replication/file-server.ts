import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.js';
import { freePort, ServerProcess } from '../server-process.js';
import { treeTicks } from './cpu-time.js';

/** What serves the files of a directory: nginx with one worker, with lists of directories; or the daemon of rsync. */
export class FileServer {
  private constructor(
    readonly port: number,
    readonly server: ServerProcess,
    readonly directory: string,
  ) {}

  static async nginx(root: string, core: number, signal: AbortSignal): Promise<FileServer> {
    const directory = makeScratch('files');
    const port = await freePort('127.0.0.1');
    const file = join(directory, 'nginx.conf');
    writeFileSync(file, nginxConfiguration(directory, root, port));
    const args = ['-p', directory, '-c', file, '-e', join(directory, 'error.log')];
    return FileServer.#start(port, { file: 'nginx', args, core, directory }, `http://127.0.0.1:${port}/`, signal);
  }

  /** It answers nothing by HTTP: whether it is there is seen by whoever uses it. */
  static async rsync(root: string, core: number, signal: AbortSignal): Promise<FileServer> {
    const directory = makeScratch('rsyncd');
    const port = await freePort('127.0.0.1');
    const file = join(directory, 'rsyncd.conf');
    writeFileSync(
      file,
      `use chroot = no\npid file = ${join(directory, 'pid')}\n${process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : ''}[site]\npath = ${root}\nread only = yes\n`,
    );
    const args = ['--daemon', '--no-detach', `--config=${file}`, `--port=${port}`, '--address=127.0.0.1'];
    return FileServer.#start(port, { file: 'rsync', args, core, directory }, null, signal);
  }

  static async #start(
    port: number,
    command: Parameters<typeof ServerProcess.start>[0],
    uri: string | null,
    signal: AbortSignal,
  ): Promise<FileServer> {
    try {
      return new FileServer(port, await ServerProcess.start(command, uri, signal), command.directory);
    } catch (error) {
      removeScratch(command.directory);
      throw error;
    }
  }

  get cpuSeconds(): number {
    return treeTicks(this.server.processes().map(({ pid }) => pid)) / 100;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    removeScratch(this.directory);
  }
}

const nginxConfiguration = (directory: string, root: string, port: number): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off; default_type application/octet-stream; sendfile on; open_file_cache max=4096 inactive=1h;
  keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  server { listen 127.0.0.1:${port} backlog=1024; root ${root}; autoindex on; }
}
`;
