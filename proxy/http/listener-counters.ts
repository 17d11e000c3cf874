/** Why a connection was refused: `full` for the listener's limit, `client` for that of its client. */
export type ConnectionRefusal = 'full' | 'client' | 'proxy-header';

/** What took too long. `write` is for a client that does not read. */
export type Timeout = 'handshake' | 'proxy-header' | 'head' | 'content' | 'write' | 'idle';

/** What a listener has counted since it was opened; only ever grows. */
export interface ListenerCounters {
  /** Connections that were let in. */
  accepted: number;
  /** Idle connections that were ended for new ones at the listener's limit. */
  madeRoom: number;
  readonly refused: Record<ConnectionRefusal, number>;
  readonly timeouts: Record<Timeout, number>;
}

export const listenerCounters = (): ListenerCounters => ({
  accepted: 0,
  madeRoom: 0,
  refused: { full: 0, client: 0, 'proxy-header': 0 },
  timeouts: { handshake: 0, 'proxy-header': 0, head: 0, content: 0, write: 0, idle: 0 },
});
