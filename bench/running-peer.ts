import { cores } from './cores.js';
import { fetchOnce, type Answer } from './fetch-once.js';
import type { Origin } from './origin.js';
import { runPacedLoad } from './paced-load.js';
import type { Peer, PeerName, Storage } from './peers/peer.js';
import type { LoadRow } from './rows.js';
import { makeScratch, removeScratch } from './scratch.js';
import { freePort, ServerProcess } from './server-process.js';

/** What the first answers tell of those that follow. */
export interface Stored {
  /** Fields by which a client says that it has the response, if the row is of such requests. */
  readonly fields: Readonly<Record<string, string>>;
  /** The most that an answer should have before its content. */
  readonly headBytes: number;
}

/** A peer that serves an origin, with nothing stored but one response. */
export class RunningPeer {
  readonly name: PeerName;
  /** As `Peer.losesOnDisk`. */
  readonly losesOnDisk: number;

  private constructor(
    peer: Peer,
    readonly server: ServerProcess,
    readonly port: number,
    /** Where it opens tunnels; null if it never does. */
    readonly tunnelPort: number | null,
    readonly store: string | null,
    readonly directory: string,
  ) {
    this.name = peer.name;
    this.losesOnDisk = peer.losesOnDisk;
  }

  static async start(peer: Peer, storage: Storage, origin: Origin, signal: AbortSignal): Promise<RunningPeer> {
    const directory = makeScratch(peer.name, storage);
    try {
      const port = await freePort('127.0.0.1');
      const tunnelPort = await freePort('127.0.0.1');
      const { store, ...command } = peer.prepare({ directory, storage, port, tunnelPort, origin });
      const first = `http://127.0.0.1:${port}/1k/first`;
      const server = await ServerProcess.start({ ...command, core: cores.server, directory }, first, signal);
      return new RunningPeer(peer, server, port, peer.tunnels ? tunnelPort : null, store, directory);
    } catch (error) {
      removeScratch(directory);
      throw error;
    }
  }

  /**
   * Asks once for each path that the row asks for again and again.
   * @throws Error when one of them has no complete answer, or not that of the row.
   */
  async ask(row: LoadRow, signal: AbortSignal): Promise<Stored> {
    const { paths, bodyBytes, conditional } = row;
    if (paths !== null && paths.length > askedSingly) return this.#askAtOnce(row, paths.length, signal);
    let answer: Answer | null = null;
    const fetch = (path: string, fields = {}): Promise<Answer> =>
      fetchOnce(`http://127.0.0.1:${this.port}${path}`, signal, fields);
    for (const path of paths ?? []) {
      answer = await fetch(path);
      const { status, body } = answer;
      if (status !== 200 || body.length !== bodyBytes) throw new Error(`${path}: ${status}, ${body.length} bytes`);
    }
    if (!conditional) return { fields: {}, headBytes: Infinity };
    const fields = { 'If-None-Match': answer?.fields.etag ?? 'none' };
    const { status, headBytes } = await fetch(paths?.[0] ?? '/', fields);
    if (status !== 304) throw new Error(`a request with If-None-Match: ${fields['If-None-Match']} got ${status}`);
    return { fields, headBytes: headBytes + roomToGrow };
  }

  async #askAtOnce(row: LoadRow, requests: number, signal: AbortSignal): Promise<Stored> {
    const { status, bodyBytes } = row;
    const what = { path: row.path(''), paths: null, fields: {}, status, bodyBytes };
    const how = { port: this.port, authority: null, connections: 8, seconds: 60, rate: null, requests, under: [] };
    await runPacedLoad({ ...what, ...how }, signal);
    return { fields: {}, headBytes: Infinity };
  }

  async stop(): Promise<void> {
    await this.server.stop();
    removeScratch(this.directory);
  }
}

/** Bytes by which a head may grow when its response gets older and the connection stays open. */
const roomToGrow = 16;

const askedSingly = 256;
