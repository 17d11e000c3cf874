export type PeerName = 'willis' | 'nginx' | 'squid' | 'varnish' | 'trafficserver';

/** A caching reverse proxy that can be measured. */
export interface Peer {
  readonly name: PeerName;
  /** What has to be done for it to be there. */
  readonly comesWith: string;
  /** Whether it is a forward proxy too, which opens tunnels. */
  readonly tunnels: boolean;
  /** The version of the installed program, or null when there is none. */
  version(): string | null;
  /** Writes the configuration into the place and tells what to start; the program stays in the foreground. */
  prepare(place: Place): Command;
}

export interface Place {
  /** A directory of its own, on tmpfs where there is one, that everybody may write to. */
  readonly directory: string;
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

/** Every peer gets this much memory for stored responses: enough that no row but misses, in long runs, evicts. */
export const storeMebibytes = 512;
