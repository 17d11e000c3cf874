import { setTimeout as pause } from 'node:timers/promises';
import type { DemoNodes } from '../demo-nodes.js';
import { Asking } from './asking.js';

/**
 * Reads one page by the client-side proxy until its answers say that they come from the nodes of the group.
 * @throws Error if that takes too long, or the reason of the signal
 */
export async function learned({ namespace, replicas, proxy }: DemoNodes, signal: AbortSignal): Promise<void> {
  const asking = new Asking(proxy.url);
  const until = performance.now() + patience;
  const found = new Set<string>();
  try {
    for (;;) {
      const { status, fields } = await asking.get(namespace, { 'Cache-Control': 'max-age=0' }, signal);
      if (status !== 200) throw new Error(`the client-side proxy answers ${status}: ${String(fields['proxy-status'])}`);
      const said = String(fields['cache-status']);
      for (const { name, url } of replicas) if (said.includes(url)) found.add(name);
      if (found.size > 0) return;
      if (performance.now() > until) throw new Error(`the client-side proxy does not learn of the replicas: ${said}`);
      await pause(100, undefined, { signal });
    }
  } finally {
    asking.close();
  }
}

const patience = 30_000;
