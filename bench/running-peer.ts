import { cores } from './cores.js';
import { fetchOnce } from './fetch-once.js';
import type { Origin } from './origin.js';
import type { Peer } from './peers/peer.js';
import { makeScratch, removeScratch } from './scratch.js';
import { freePort, ServerProcess } from './server-process.js';

/** A peer that serves an origin, with nothing stored but one response. */
export class RunningPeer {
  private constructor(
    readonly name: string,
    readonly server: ServerProcess,
    readonly port: number,
    readonly store: string | null,
    readonly directory: string,
  ) {}

  static async start(peer: Peer, origin: Origin, signal: AbortSignal): Promise<RunningPeer> {
    const directory = makeScratch(peer.name);
    try {
      const port = await freePort('127.0.0.1');
      const { store, ...command } = peer.prepare({ directory, port, origin });
      const first = `http://127.0.0.1:${port}/1k/first`;
      const server = await ServerProcess.start({ ...command, core: cores.server, directory }, first, signal);
      return new RunningPeer(peer.name, server, port, store, directory);
    } catch (error) {
      removeScratch(directory);
      throw error;
    }
  }

  /** @throws Error when one of the paths does not have a complete answer of this size. */
  async ask(paths: readonly string[], bodyBytes: number, signal: AbortSignal): Promise<void> {
    for (const path of paths) {
      const { status, body } = await fetchOnce(`http://127.0.0.1:${this.port}${path}`, signal);
      if (status !== 200 || body.length !== bodyBytes) throw new Error(`${path}: ${status}, ${body.length} bytes`);
    }
  }

  async stop(): Promise<void> {
    await this.server.stop();
    removeScratch(this.directory);
  }
}
