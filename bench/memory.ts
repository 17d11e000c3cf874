import type { Origin, StatusCounts } from './origin.js';
import { bodySizes } from './origin.js';
import { runPacedLoad } from './paced-load.js';
import { settledBytes } from './resident.js';
import type { RunningPeer } from './running-peer.js';

/** What a number of things of one kind add to the memory of a warm server. */
export interface MemoryResult {
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** Of each of them. */
  readonly bytesEach: number;
}

export const storedResponses = 50_000;
const warmUpRequests = 20_000;

/**
 * What 50,000 different stored responses of 1 kB add to the memory of a server that has already forwarded as many
 * requests as it takes to be warm.
 * @throws Error when not each of them was fetched once, or not each is a hit afterwards.
 */
export async function measureMemory(peer: RunningPeer, origin: Origin, signal: AbortSignal): Promise<MemoryResult> {
  await warmUp(peer, signal);
  const walk = async (): Promise<StatusCounts> => {
    await origin.answersSinceLast(signal);
    await fetchAll(peer, '/1k/memory/', storedResponses, signal);
    return origin.answersSinceLast(signal);
  };
  const beforeBytes = await settledBytes(peer.server, peer.store, signal);
  const filled = await walk();
  if (filled['200'] !== storedResponses) throw new Error(`not every request was a miss: ${JSON.stringify(filled)}`);
  const afterBytes = await settledBytes(peer.server, peer.store, signal);
  const again = await walk();
  if (Object.keys(again).length > 0) throw new Error(`not everything was stored: ${JSON.stringify(again)}`);
  return { beforeBytes, afterBytes, bytesEach: (afterBytes - beforeBytes) / storedResponses };
}

/** Brings a server to the size that it has from work alone, with nothing more stored. */
export const warmUp = (peer: RunningPeer, signal: AbortSignal): Promise<void> =>
  fetchAll(peer, '/unstored/', warmUpRequests, signal);

/** One GET for each number, 32 at a time. */
async function fetchAll(peer: RunningPeer, prefix: string, requests: number, signal: AbortSignal): Promise<void> {
  const what = { path: `'${prefix}' .. n`, paths: null, fields: {}, status: 200, bodyBytes: bodySizes['1k'] } as const;
  const how = { port: peer.port, authority: null, connections: 32, seconds: 60, rate: null, requests, under: [] };
  await runPacedLoad({ ...what, ...how }, signal);
}
