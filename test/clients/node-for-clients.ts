import { loadConfig } from '../../config/load.js';
import { systemClock } from '../../proxy/base/clock.js';
import { createLogger } from '../../proxy/base/logger.js';
import { buildNode } from '../../proxy/roles/build-node.js';

export interface NodeForClients {
  /** URLs of its sides, without a slash at the end. */
  readonly proxy: string;
  readonly site: string;
  stop(): Promise<void>;
}

/** Starts a node with the clock of the system, whose forward proxy may go to this machine. */
export async function startNode(sections: Readonly<Record<string, unknown>> = {}): Promise<NodeForClients> {
  const config = {
    node: { name: 'willis' },
    listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: null },
    access: { destinations: { allow: ['127.0.0.0/8'] } },
    limits: { drainTimeout: '1s' },
    log: { level: 'silent', access: { format: 'off' } },
    ...sections,
  };
  const logger = createLogger({ level: 'silent', write: () => undefined });
  const node = buildNode(loadConfig(JSON.stringify(config), 'clients.yaml', {}), { logger, clock: systemClock });
  await node.start();
  const url = (side: string): string =>
    (node.listening.find(({ name }) => name === side)?.url ?? '').replace(/\/$/, '');
  return { proxy: url('proxy'), site: url('site'), stop: () => node.stop() };
}
