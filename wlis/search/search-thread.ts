import { parentPort, workerData } from 'node:worker_threads';
import { elapsedMonotonic } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import { PageIndex, TooCostly } from './page-index.js';
import { searchPatience } from './search-control.js';
import { searchablePage } from './searchable-page.js';
import type { ThreadAnswer, ThreadCall, ThreadCalls, ThreadData } from './thread-calls.js';

// What a thread of its own does: it keeps the index, so that neither a large page nor a costly question makes anybody else wait.

const index = new PageIndex((workerData as ThreadData).limit);

async function answer(call: ThreadCall): Promise<ThreadCalls[keyof ThreadCalls]['answer']> {
  switch (call.name) {
    case 'put': {
      const { page, content } = call.asked;
      try {
        const searchable = searchablePage(page, Buffer.from(content.buffer, content.byteOffset, content.byteLength));
        if (searchable !== null) return index.put(searchable);
        index.remove(page);
        return { kind: 'unwanted' };
      } catch {
        index.remove(page);
        return { kind: 'unreadable' };
      }
    }
    case 'remove':
      index.remove(call.asked);
      return null;
    case 'drop':
      await index.drop(call.asked.namespace);
      return null;
    case 'resize':
      return index.resize(call.asked.limit);
    case 'search':
      return found(call.asked);
  }
}

function found({ query, namespaces }: ThreadCalls['search']['asked']): ThreadCalls['search']['answer'] {
  const begun = systemClock.monotonic();
  const isLate = (): boolean => elapsedMonotonic(begun, systemClock.monotonic()) > searchPatience;
  try {
    return index.search(query, new Set(namespaces), isLate);
  } catch (error) {
    if (error instanceof TooCostly) return null;
    throw error;
  }
}

parentPort?.on('message', (call: ThreadCall) => {
  const say = (said: { answer: ThreadCalls[keyof ThreadCalls]['answer'] } | { failure: string }): void =>
    parentPort?.postMessage({ id: call.id, usage: index.usage, ...said } satisfies ThreadAnswer);
  answer(call).then(
    (answer) => say({ answer }),
    (error: unknown) => say({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
