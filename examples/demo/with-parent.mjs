// Loaded into a node of the demonstration before its program: the node ends with the process that started it, however that
// one ends. Then nobody else is left to remove the directory of the node, those of nodes that were killed, and the one above
// them once it is empty, nor to wake the nodes that were stopped, which would otherwise never end.
import { readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers';

const own = process.env.WILLIS_DEMO_DIRECTORY;
const above = dirname(own);
const patience = 15_000;

writeFileSync(join(own, 'pid'), String(process.pid));

process.once('disconnect', () => {
  for (const { pid } of others()) wake(pid);
  process.once('exit', () => {
    remove(own);
    for (const { directory, pid } of others()) if (!wake(pid)) remove(directory);
    try {
      rmdirSync(above);
    } catch {
      // the last node to end removes it
    }
  });
  if (process.listenerCount('SIGTERM') === 0) process.exit(1);
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), patience).unref();
});
// keeps no node alive by itself
process.channel.unref();

function others() {
  try {
    const names = readdirSync(above).filter((name) => join(above, name) !== own);
    return names.map((name) => ({ directory: join(above, name), pid: pidIn(join(above, name)) }));
  } catch {
    return [];
  }
}

function pidIn(directory) {
  try {
    return Number(readFileSync(join(directory, 'pid'), 'utf8'));
  } catch {
    return 0;
  }
}

/** @returns whether there is such a process */
function wake(pid) {
  try {
    return pid > 0 && process.kill(pid, 'SIGCONT');
  } catch {
    return false;
  }
}

function remove(directory) {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
