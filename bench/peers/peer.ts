export type PeerName = 'willis' | 'nginx' | 'squid' | 'squid-aufs' | 'squid-rock' | 'varnish' | 'trafficserver';

/** Where a peer is to keep what it stores. */
export type Storage = 'memory' | 'disk';

/** A caching reverse proxy that can be measured. */
export interface Peer {
  readonly name: PeerName;
  /** What has to be done for it to be there. */
  readonly comesWith: string;
  /** Where it can keep stored responses; on disk means that they outlive the process. */
  readonly storages: readonly Storage[];
  /** Which share of what it has stored on disk it may have lost again, because its places there are fixed. */
  readonly losesOnDisk: number;
  /** Whether it is a forward proxy too, which opens tunnels. */
  readonly tunnels: boolean;
  /** The version of the installed program, or null when there is none. */
  version(): string | null;
  /** Writes the configuration into the place and tells what to start; the program stays in the foreground. */
  prepare(place: Place): Command;
}

export interface Place {
  /** A directory of its own that everybody may write to; in memory or on a disk as the storage is. */
  readonly directory: string;
  readonly storage: Storage;
  readonly port: number;
  /** Where it opens tunnels to the origin server, if it does that at all. */
  readonly tunnelPort: number;
  /** The origin server's address and port, as in a URI. */
  readonly origin: { readonly host: string; readonly port: number };
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Where stored responses lie if not in the memory of the processes. */
  readonly store: string | null;
}

/** Stored in memory, enough that no row but misses, in long runs, evicts; for a store on disk, what stands before it. */
export const memoryMebibytes = (storage: Storage): number => (storage === 'memory' ? 512 : 8);

export const diskMebibytes = 4096;
