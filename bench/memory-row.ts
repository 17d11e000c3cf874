import { named, type Bench } from './bench.js';
import { idleConnections, measureIdle } from './idle.js';
import { measureMemory, storedResponses, type MemoryResult } from './memory.js';
import type { Origin } from './origin.js';
import type { MemoryRowResult, PeerMemory } from './results.js';
import { RunningPeer } from './running-peer.js';

interface MemoryRow {
  readonly title: string;
  readonly unit: string;
  readonly measure: (peer: RunningPeer, origin: Origin, signal: AbortSignal) => Promise<MemoryResult>;
}

const memoryRows: Readonly<Record<'memory' | 'idle', MemoryRow>> = {
  memory: {
    title: `Memory of ${storedResponses.toLocaleString('en-GB')} stored responses of 1 kB`,
    unit: 'response',
    measure: measureMemory,
  },
  idle: {
    title: `Memory of ${idleConnections.toLocaleString('en-GB')} idle connections`,
    unit: 'connection',
    measure: (peer, _origin, signal) => measureIdle(peer, signal),
  },
};

/** One peer after the other, each started anew. */
export async function measureMemoryRow(bench: Bench, name: keyof typeof memoryRows): Promise<MemoryRowResult> {
  const { peers, origin, signal, say } = bench;
  const { title, unit, measure } = memoryRows[name];
  const results: PeerMemory[] = [];
  for (const peer of peers.filter(({ storages }) => storages.includes('memory'))) {
    const running = await RunningPeer.start(peer, 'memory', origin, signal);
    try {
      const found = await measure(running, origin, signal);
      say(`${name} ${peer.name}: ${Math.round(found.bytesEach)} bytes a ${unit}`);
      results.push({ peer: peer.name, ...found });
    } catch (error) {
      throw named(error, `${name} ${peer.name}`, signal);
    } finally {
      await running.stop();
    }
  }
  return { title, unit, results };
}
