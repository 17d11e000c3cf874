import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';

/** What the rooms that an exchange comes through tell of it, for the access log and metrics; nothing is decided by it. */
export interface ExchangeRecord {
  /** Length of the request's head as received. */
  readonly headBytes: Bytes;
  /** The name that the client has proved; null if it has not. */
  user: string | null;
  /** The site and the cache rule that the request fell under, as the configuration names them; empty for none. */
  site: string;
  rule: string;
  /** From sending the request on, connecting included, until the head of the answer; null if none came. */
  upstreamTime: Milliseconds | null;
}

/** For a request that no client sent. */
export const emptyRecord = (): ExchangeRecord => ({
  headBytes: bytes(0),
  user: null,
  site: '',
  rule: '',
  upstreamTime: null,
});
