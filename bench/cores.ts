import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The core that the measured server has, and the one that the load generator, the origin and this program share. */
export const cores = { server: 0, rest: 1 } as const;

/** @throws Error when there are not two cores, or processes cannot be bound to them. */
export function bindThisProcess(): void {
  if (availableParallelism() < 2) throw new Error('two cores are needed: one for the server, one for the load');
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(cores.rest), String(process.pid)]);
  if (status !== 0) throw new Error('taskset (util-linux) cannot bind processes to cores here');
}
