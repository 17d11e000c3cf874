import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/schema.js';
import { createAccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { CacheRules } from '../cache/cache-rules.js';
import { CachingHandler } from '../cache/caching-handler.js';
import { MemoryStore } from '../cache/memory-store.js';
import { addressTest } from '../forward/address-test.js';
import { DialGuard } from '../forward/dial-guard.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { ClientSide } from './client-side.js';
import { OperatorSide } from './operator-side.js';
import { ReverseSide } from './reverse-side.js';
import { RunningNode, type Node } from './running-node.js';
import { buildSide, type Shared, type Side } from './side.js';

export type { Node } from './running-node.js';

/** Puts a node together from its configuration. @throws Error if a file that the configuration names is unusable */
export function buildNode(config: Config, { logger, clock }: { logger: Logger; clock: Clock }): Node {
  const identity: NodeIdentity = { name: config.node.name, instance: randomBytes(4).toString('hex') };
  const accessLog = createAccessLog(config.log.access, (error) =>
    logger.error({ error }, 'the access log cannot be written'),
  );
  const { memory: limit, maxDocument, variants, collapseWait, ...freshness } = config.cache;
  const rules = new CacheRules(config.cache.rules);
  const store = new MemoryStore({ limit, maxDocument, variants });
  const via = (version: string): string => viaEntry(version, identity);
  const cache = new CachingHandler({ store, clock, logger, name: identity.name, via, freshness, rules, collapseWait });
  const shared = { config, identity, logger, clock, accessLog };
  const sides = [clientSide(shared, cache), reverseSide(shared, cache), operatorSide(shared)];
  const open = sides.filter((side) => side !== null);
  return new RunningNode(open, [store, accessLog], config.limits.drainTimeout);
}

function clientSide(shared: Shared, cache: CachingHandler): Side | null {
  const { config } = shared;
  const { proxy: listener, site, admin } = config.listen;
  if (!config.roles.includes('clientSide') || listener === null) return null;
  const admits = addressTest(config.access.clients);
  return buildSide(shared, {
    name: 'proxy',
    listener,
    // what clients name is judged by the address that it resolves to
    guard: new DialGuard(config.access.destinations),
    facesStrangers: false,
    handler: (way) => new ClientSide({ ...shared, ...way, cache, admits, site, admin }),
  });
}

function reverseSide(shared: Shared, cache: CachingHandler): Side | null {
  const { config } = shared;
  const { site: listener } = config.listen;
  if (listener === null) return null;
  const trusts = addressTest(config.access.trustedProxies);
  return buildSide(shared, {
    name: 'site',
    listener,
    guard: anywhere,
    facesStrangers: true,
    handler: (way) => new ReverseSide({ ...shared, ...way, cache, sites: config.sites, trusts }),
  });
}

function operatorSide(shared: Shared): Side | null {
  const { config } = shared;
  const { admin: listener } = config.listen;
  if (listener === null) return null;
  const admits = addressTest(config.access.clients);
  return buildSide(shared, {
    name: 'admin',
    listener,
    guard: anywhere,
    facesStrangers: false,
    handler: ({ takeovers }) => new OperatorSide({ ...shared, takeovers, admits }),
  });
}

/** An origin that the operator configured is dialled wherever it is. */
const anywhere = new DialGuard({ allow: [], deny: [] });
