import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bytes } from '../../config/units.js';
import { rateOf, type UpkeepResults } from '../admin/operator-store.js';
import type { StoreReport } from '../admin/store-control.js';
import { systemClock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import { CacheRules } from '../cache/cache-rules.js';
import type { DiskOptions } from '../cache/disk/disk-options.js';
import type { ReportOptions } from '../cache/disk/disk-report.js';
import { DiskStore } from '../cache/disk/disk-store.js';
import { DiskStoreError } from '../cache/disk/disk-store-error.js';
import { storeDirectory } from '../roles/disk-layer.js';
import type { OpenedConfig } from './config-file.js';
import type { Console } from './console.js';
import { CallFailed } from './operator-client.js';
import type { StoreSide, Watching } from './store-side.js';

export interface StoppedNode {
  /** Its `node.data`, or the store in it. */
  readonly directory: string;
  /** Null if only the directory was named. */
  readonly config: OpenedConfig | null;
}

const unlimited = bytes(Number.MAX_SAFE_INTEGER);

/** Opens the store of a node that does not run, as the node would. @throws CallFailed, and nothing is made or changed */
export async function openStopped(node: StoppedNode, console: Console): Promise<StoreSide> {
  const directory = findStore(node, console);
  checkOwner(directory);
  const said = (text: string): void => console.err(`willis: ${text}\n`);
  try {
    const store = await DiskStore.open({
      ...{ directory, ...boundsOf(node), clock: systemClock },
      onUnwell: (error, reason) => {
        if (reason === 'failing') said(`the disk fails: ${String(error)}`);
      },
      onWell: () => undefined,
      onNotice: said,
    });
    if (store.isWell) return new StoppedStore(store);
    await store.close();
    throw new CallFailed(`the disk with ${directory} fails`);
  } catch (error) {
    if (!(error instanceof DiskStoreError)) throw error;
    const advice =
      error.fault === 'in-use'
        ? '. If that is a node, ask it: by the configuration that it was started with, or by --admin URL. Or stop it first'
        : '';
    throw new CallFailed(`${error.message}${advice}`, { cause: error });
  }
}

function boundsOf({ config }: StoppedNode): Pick<DiskOptions, 'limit' | 'maxDocument' | 'variants' | 'retention'> {
  if (config === null) {
    return { limit: unlimited, maxDocument: unlimited, variants: Number.MAX_SAFE_INTEGER, retention: null };
  }
  const { disk, maxDocument, variants, rules } = config.config.cache;
  return { limit: disk ?? unlimited, maxDocument, variants, retention: new CacheRules(rules) };
}

function findStore({ directory, config }: StoppedNode, console: Console): string {
  const path = resolve(console.directory, directory);
  const inside = storeDirectory({ node: { data: path } as OpenedConfig['config']['node'] });
  const candidates = config === null ? [path, inside] : [inside];
  const found = candidates.find((one) => existsSync(join(one, 'format')));
  if (found !== undefined) return found;
  if (config === null) throw new CallFailed(`there is no store in ${path}`);
  const { disk } = config.config.cache;
  const why = disk === null ? `; cache.disk of ${config.name} is null: nothing is stored on disk` : '';
  throw new CallFailed(`no node runs, and there is no store in ${path} (node.data of ${config.name})${why}`);
}

/** What another user writes there, the node could not read afterwards. */
function checkOwner(directory: string): void {
  const owner = statSync(directory).uid;
  const self = process.getuid?.();
  if (self === undefined || self === owner) return;
  throw new CallFailed(`the store in ${directory} belongs to the user ${owner}: run this as that user, not as ${self}`);
}

/** A store that no node uses. */
class StoppedStore implements StoreSide {
  constructor(private readonly store: DiskStore) {}

  async report(options: ReportOptions): Promise<StoreReport> {
    const disk = await this.store.upkeep.report(options).catch(callFailed);
    return { memory: null, disk: { ...disk, lost: 0 } };
  }

  async perform<W extends keyof UpkeepResults>(
    work: W,
    members: Readonly<Record<string, string>>,
    watching: Watching,
  ): Promise<UpkeepResults[W] | null> {
    try {
      return await this.#works(members, watching)[work]();
    } catch (error) {
      return callFailed(error);
    }
  }

  close(): Promise<void> {
    return this.store.close();
  }

  #works(
    { rate }: Readonly<Record<string, string>>,
    watching: Watching,
  ): { readonly [W in keyof UpkeepResults]: () => Promise<UpkeepResults[W]> } {
    const { upkeep } = this.store;
    return {
      verify: () => upkeep.verify({ ...watching, rate: rateOf(rate) }),
      rebuild: () => upkeep.rebuild(watching),
      compact: () => upkeep.compact(watching),
    };
  }
}

function callFailed(error: unknown): never {
  throw error instanceof WillisError ? new CallFailed(error.message, { cause: error }) : error;
}
