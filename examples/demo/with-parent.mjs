// Loaded into a node of the demonstration before its program: the node ends with the process that started it, however that
// one ends. Then nobody else is left to remove the directory of the node, and the one above it once it is empty.
import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers';

const own = process.env.WILLIS_DEMO_DIRECTORY;
const patience = 15_000;

process.once('disconnect', () => {
  process.once('exit', () => {
    rmSync(own, { recursive: true, force: true, maxRetries: 5 });
    try {
      rmdirSync(dirname(own));
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
