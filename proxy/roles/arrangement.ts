import { formatProxyUri } from '../../config/origin-uri.js';
import type { Config } from '../../config/schema.js';
import { bytes, type Bytes } from '../../config/units.js';
import { OperatorAccess } from '../admin/operator-access.js';
import { OperatorApi } from '../admin/operator-api.js';
import { CacheRules } from '../cache/cache-rules.js';
import type { CachingSettings } from '../cache/caching-settings.js';
import type { Upstream } from '../forward/upstream.js';
import { addressTest } from '../http/address-test.js';
import type { TargetUri } from '../http/target-uri.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { accessFor, type Access } from './access.js';
import { ClientSide } from './client-side.js';
import { choiceExplained } from './finding/choice-explained.js';
import { FileContents } from './file-contents.js';
import { findingProblems, pacSource, targetReading } from './finding/client-finding.js';
import type { Lasting } from './lasting.js';
import type { ListenerName } from './listeners.js';
import { OperatorSide } from './operator-side.js';
import { proxyDestinations } from './proxy-destinations.js';
import { RefusedConfiguration } from './refused-configuration.js';
import { ReverseSide } from './reverse-side.js';
import { buildSide, type Shared, type Side } from './side.js';
import { DocumentHandler } from '../../replication/serving/document-handler.js';
import { RawSpace } from '../../replication/serving/raw-space.js';
import { blobReads } from './replication/call-resources.js';
import { HolderVoices } from './replication/holder-voices.js';
import { Visitors } from './replication/visitors.js';
import { Sites } from './sites.js';
import { LogicalNames } from '../../wlis/names/logical-names.js';
import { OwnNames } from '../../wlis/names/own-names.js';
import { clientViews } from './views/client-views.js';
import { KnownNames } from './views/known-names.js';
import { MirrorRecipes } from './views/mirror-recipes.js';
import { MirrorSpaces } from './views/mirror-spaces.js';
import { MirrorVisits } from './views/mirror-visits.js';

/** Everything about a node that follows from one configuration. */
export interface Arrangement {
  readonly config: Config;
  readonly files: FileContents;
  readonly identity: NodeIdentity;
  readonly caching: CachingSettings;
  readonly access: Access;
  readonly documents: DocumentHandler;
  readonly raw: RawSpace;
  readonly mirrors: MirrorSpaces;
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
  const raw = documents === before?.documents ? before.raw : rawSpace(config, documents, lasting);
  const { namespaces: layer, calls, cache, loads } = lasting;
  const isDirectory = config.roles.includes('wlis');
  const visitors = new Visitors({ layer, isDirectory, documents, raw, loads, calls, cache });
  const shared = { ...lasting, config, files, identity, access: access.policy, visitors };
  const mirrors = mirrorSpaces(shared, lasting);
  const sideBefore = (name: ListenerName): Side | null => before?.sides.find((side) => side.name === name) ?? null;
  const sides = [
    clientSide(shared, lasting, sideBefore('proxy')),
    reverseSide(shared, lasting, {
      mirrors: mirrorVisits(shared, lasting, { documents, spaces: mirrors }),
      before: sideBefore('site'),
    }),
    operatorSide(shared, lasting, sideBefore('admin')),
  ].filter((side) => side !== null);
  return {
    config,
    files,
    identity,
    caching: cachingSettings(config, identity),
    access,
    documents,
    raw,
    mirrors,
    sides,
  };
}

/** That of before, with all that it has in memory, if nothing about it has changed. */
function documentsFor(
  config: Config,
  { name }: NodeIdentity,
  { clock, namespaces }: Lasting,
  before: Arrangement | null,
): DocumentHandler {
  const memory = bytes(config.documents.memory - proofMemory(config));
  const isSame = before?.identity.name === name && before.config.documents.memory === config.documents.memory;
  return isSame
    ? before.documents
    : new DocumentHandler({ name, clock, corrected: namespaces.time.now, memory, url: () => namespaces.url });
}

/** Of the memory for documents what is for their proofs. */
const proofMemory = ({ documents }: Config): Bytes => bytes(Math.floor(documents.memory / 16));

const rawSpace = (config: Config, documents: DocumentHandler, { namespaces, logger }: Lasting): RawSpace =>
  new RawSpace({ documents, blobs: blobReads(namespaces), memory: proofMemory(config), logger });

/** A log file that cannot be written keeps no request from being answered: only a new one is refused. */
function refuseUnusable(files: FileContents, config: Config, before: Arrangement | null): void {
  const { path } = config.log.access;
  const isNewLog = before !== null && before.config.log.access.path !== path;
  const unusable = files.problems.filter(({ key }) => key !== 'log.access.path' || isNewLog);
  const problems = [...unusable, ...findingProblems(config)];
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

function clientSide(shared: Shared, lasting: Lasting, before: Side | null): Side | null {
  const { cache } = lasting;
  const { config } = shared;
  const { proxy: listener, site, admin } = config.listen;
  if (!config.roles.includes('clientSide') || listener === null) return null;
  const [reading, pac] = [targetReading(config, lasting), pacSource(config, lasting)];
  const views = clientViews(shared, lasting, { listener, reading });
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
    handler: (way) => {
      const { finding } = lasting;
      const upstream = finding.around(finding.mirrors.around(way.upstream, config, shared.files));
      return new ClientSide({ ...shared, ...way, ...views, upstream, cache, site, admin, reading, pac });
    },
  });
}

function reverseSide(
  shared: Shared,
  lasting: Lasting,
  { mirrors, before }: { readonly mirrors: MirrorVisits; readonly before: Side | null },
): Side | null {
  const { cache } = lasting;
  const { config } = shared;
  const { site: listener } = config.listen;
  if (listener === null) return null;
  const own = config.node.url && formatProxyUri(config.node.url);
  const pac = pacSource(config, lasting);
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
    handler: (way) => {
      const gatewayTo = (namespace: TargetUri): Upstream => lasting.finding.gateway(way.upstream, namespace);
      return new ReverseSide({
        ...shared,
        ...way,
        cache,
        sites: new Sites(config.sites),
        gatewayTo,
        mirrors,
        pac,
        own,
      });
    },
  });
}

/** Where browsers see the namespaces of this node by its own names. */
function mirrorSpaces(
  { config, access }: Pick<Shared, 'config' | 'access'>,
  { namespaces: layer }: Lasting,
): MirrorSpaces {
  const { url, mirrorDomain: domain } = config.node;
  return new MirrorSpaces({ layer, access, sites: config.sites, url: url && formatProxyUri(url), domain });
}

function mirrorVisits(
  { config, access }: Shared,
  { namespaces: layer, loads, clock, finding, views }: Lasting,
  parts: { readonly documents: DocumentHandler; readonly spaces: MirrorSpaces },
): MirrorVisits {
  const recipes = new MirrorRecipes({ config, layer, health: finding.choice.health });
  const own = new OwnNames(config.wlis.names);
  const names = new KnownNames({
    ...{ own, clock, names: new LogicalNames(own, () => finding.signedNames) },
    signed: () => finding.directory?.names ?? null,
  });
  return new MirrorVisits({
    ...{ ...parts, layer, access, clock, views, recipes, names },
    voices: new HolderVoices(layer, loads),
  });
}

function operatorSide(shared: Shared, lasting: Lasting, before: Side | null): Side | null {
  const { cache, control, disk, finding, metrics, replication, search } = lasting;
  const { config, files, identity, clock, logger, access } = shared;
  const { admin: listener } = config.listen;
  if (listener === null) return null;
  const { tokenFile, hosts } = config.access.operator;
  const sites = new Sites(config.sites);
  const reading = targetReading(config, lasting);
  const api = new OperatorApi({
    name: identity.name,
    ...{ clock, logger, cache, control, metrics, replication, store: disk, directory: finding.reports, search },
    access: new OperatorAccess({ token: tokenFile === null ? null : files.secret(tokenFile), hosts }),
    sides: {
      isOpen: (side) => config.listen[side] !== null && (side === 'site' || config.roles.includes('clientSide')),
      meaningOf: (target) => reading.meaningOf(target),
      siteFor: (target) => sites.find(target),
      heldFor: (request) => shared.visitors.explain(request),
      choiceFor: (request) =>
        choiceExplained(request.target, finding, clock) ?? finding.mirrors.explain(request, config, files),
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
