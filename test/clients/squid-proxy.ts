import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../../examples/demo/free-ports.js';
import { TempDir } from '../support/temp-dir.js';

/** A forward proxy of somebody else, which stores what it may in its memory. */
export class SquidProxy {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly directory: TempDir,
  ) {}

  /** @param parent port of a proxy by which it gets everything; null to have it ask servers itself */
  static async start(parent: number | null = null): Promise<SquidProxy> {
    const directory = await TempDir.create();
    // it gives up the rights of the super-user
    await chmod(directory.path, 0o777);
    const [port = 0] = await freePorts(1);
    const file = await directory.write('squid.conf', configuration(directory.path, port, parent));
    const child = spawn('squid', ['-N', '-n', `chain${port}`, '-f', file], {
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
      stdio: 'ignore',
    });
    const squid = new SquidProxy(port, child, directory);
    try {
      await squid.#listening();
      return squid;
    } catch (error) {
      await squid.close();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
    await this.directory.remove();
  }

  async #listening(): Promise<void> {
    for (let attempt = 0; attempt < 400; attempt++) {
      if (this.child.exitCode !== null) throw new Error(`squid ended with ${this.child.exitCode}`);
      const socket = connect(this.port, '127.0.0.1');
      const isOpen = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'error').then(() => false),
      ]).catch(() => false);
      socket.destroy();
      if (isOpen) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`squid does not listen; its log is in ${join(this.directory.path, 'cache.log')}`);
  }
}

const configuration = (directory: string, port: number, parent: number | null): string => `http_port 127.0.0.1:${port}
http_access allow all
cache_mem 64 MB
maximum_object_size_in_memory 16 MB
access_log stdio:${directory}/access.log
cache_log ${directory}/cache.log
cache_store_log none
cache_effective_user proxy
pid_filename ${directory}/squid.pid
coredump_dir ${directory}
visible_hostname chain
unique_hostname chain
pinger_enable off
icp_port 0
connect_timeout 2 seconds
forward_max_tries 1
negative_ttl 0 seconds
shutdown_lifetime 0 seconds
${parent === null ? '' : parentLines(parent)}`;

const parentLines = (port: number): string => `cache_peer 127.0.0.1 parent ${port} 0 no-query no-digest default
never_direct allow all
`;
