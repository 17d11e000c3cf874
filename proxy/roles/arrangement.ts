import type { Config } from '../../config/schema.js';
import { OperatorAccess } from '../admin/operator-access.js';
import { OperatorApi } from '../admin/operator-api.js';
import { CacheRules } from '../cache/cache-rules.js';
import type { CachingSettings } from '../cache/caching-settings.js';
import { addressTest } from '../http/address-test.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { accessFor, type Access } from './access.js';
import { ClientSide } from './client-side.js';
import { FileContents } from './file-contents.js';
import type { Lasting } from './lasting.js';
import type { ListenerName } from './listeners.js';
import { OperatorSide } from './operator-side.js';
import { proxyDestinations } from './proxy-destinations.js';
import { RefusedConfiguration } from './refused-configuration.js';
import { ReverseSide } from './reverse-side.js';
import { buildSide, type Shared, type Side } from './side.js';
import { DocumentHandler } from '../../replication/serving/document-handler.js';
import { Visitors } from './replication/visitors.js';
import { Sites } from './sites.js';

/** Everything about a node that follows from one configuration. */
export interface Arrangement {
  readonly config: Config;
  readonly files: FileContents;
  readonly identity: NodeIdentity;
  readonly caching: CachingSettings;
  readonly access: Access;
  readonly documents: DocumentHandler;
  readonly sides: readonly Side[];
}

/**
 * Works out what a configuration makes of a node, without touching what runs. What need not change is taken from the
 * arrangement before.
 * @throws RefusedConfiguration
 */
export function arrange(config: Config, lasting: Lasting, before: Arrangement | null): Arrangement {
  const files = new FileContents(config);
  refuseUnusable(files, config, before);
  const isSameName = before?.identity.name === config.node.name;
  const identity = isSameName ? before.identity : { name: config.node.name, instance: lasting.instance };
  const access = accessFor(config, files, { ...lasting, before: before?.access ?? null });
  const documents = documentsFor(config, identity, lasting, before);
  const { namespaces: layer, calls, cache } = lasting;
  const visitors = new Visitors({ layer, documents, calls, cache });
  const shared = { ...lasting, config, files, identity, access: access.policy, visitors };
  const sideBefore = (name: ListenerName): Side | null => before?.sides.find((side) => side.name === name) ?? null;
  const sides = [
    clientSide(shared, lasting, sideBefore('proxy')),
    reverseSide(shared, lasting, sideBefore('site')),
    operatorSide(shared, lasting, sideBefore('admin')),
  ].filter((side) => side !== null);
  return { config, files, identity, caching: cachingSettings(config, identity), access, documents, sides };
}

/** That of before, with all that it has in memory, if nothing about it has changed. */
function documentsFor(
  config: Config,
  { name }: NodeIdentity,
  { clock, namespaces }: Lasting,
  before: Arrangement | null,
): DocumentHandler {
  const { memory } = config.documents;
  const isSame = before?.identity.name === name && before.config.documents.memory === memory;
  return isSame ? before.documents : new DocumentHandler({ name, clock, corrected: namespaces.time.now, memory });
}

/** A log file that cannot be written keeps no request from being answered: only a new one is refused. */
function refuseUnusable(files: FileContents, config: Config, before: Arrangement | null): void {
  const { path } = config.log.access;
  const isNewLog = before !== null && before.config.log.access.path !== path;
  const problems = files.problems.filter(({ key }) => key !== 'log.access.path' || isNewLog);
  if (problems.length > 0) throw new RefusedConfiguration(problems);
}

export function cachingSettings({ cache }: Config, identity: NodeIdentity): CachingSettings {
  const { heuristicFraction, heuristicMax, negative, collapseWait } = cache;
  return {
    name: identity.name,
    via: (version) => viaEntry(version, identity),
    freshness: { heuristicFraction, heuristicMax, negative },
    rules: new CacheRules(cache.rules),
    collapseWait,
  };
}

function clientSide(shared: Shared, { cache }: Lasting, before: Side | null): Side | null {
  const { config } = shared;
  const { proxy: listener, site, admin } = config.listen;
  if (!config.roles.includes('clientSide') || listener === null) return null;
  return buildSide(shared, {
    name: 'proxy',
    listener,
    // what clients name is judged by the address that it resolves to
    destinations: proxyDestinations(config),
    facesStrangers: false,
    before,
    isExempt: () => false,
    countsFor: ({ client }) => client.address,
    clientOf: ({ client }) => client.address,
    handler: (way) => new ClientSide({ ...shared, ...way, cache, site, admin }),
  });
}

function reverseSide(shared: Shared, { cache }: Lasting, before: Side | null): Side | null {
  const { config } = shared;
  const { site: listener } = config.listen;
  if (listener === null) return null;
  return buildSide(shared, {
    name: 'site',
    listener,
    destinations: anywhere,
    facesStrangers: true,
    before,
    // they stand for all those behind them
    isExempt: (address) => shared.access.trusts(address),
    countsFor: (request) => shared.access.clientOf(request),
    clientOf: (request) => shared.access.clientOf(request),
    handler: (way) => new ReverseSide({ ...shared, ...way, cache, sites: new Sites(config.sites) }),
  });
}

function operatorSide(
  shared: Shared,
  { cache, control, disk, metrics, replication }: Lasting,
  before: Side | null,
): Side | null {
  const { config, files, identity, clock, logger, access } = shared;
  const { admin: listener } = config.listen;
  if (listener === null) return null;
  const { tokenFile, hosts } = config.access.operator;
  const sites = new Sites(config.sites);
  const api = new OperatorApi({
    name: identity.name,
    ...{ clock, logger, cache, control, metrics, replication, store: disk },
    access: new OperatorAccess({ token: tokenFile === null ? null : files.secret(tokenFile), hosts }),
    sides: {
      isOpen: (side) => config.listen[side] !== null && (side === 'site' || config.roles.includes('clientSide')),
      siteFor: (target) => sites.find(target),
      heldFor: (request) => shared.visitors.explain(request),
      judge: (facts) => access.judge(facts),
    },
  });
  return buildSide(shared, {
    name: 'admin',
    listener,
    destinations: anywhere,
    facesStrangers: false,
    before,
    isExempt: isLoopback,
    countsFor: ({ client }) => (isLoopback(client.address) ? null : client.address),
    clientOf: ({ client }) => client.address,
    handler: ({ takeovers }) => new OperatorSide(api, takeovers),
  });
}

/** Whoever sits at the machine can look what is going on, whatever else is. */
const isLoopback = addressTest(['127.0.0.0/8', '::1']);

/** An origin that the operator configured is dialled wherever it is. */
const anywhere = { allow: [], deny: [] };
