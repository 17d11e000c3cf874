import type { Config } from '../../config/schema.js';
import type { Logger } from '../base/logger.js';
import { DialGuard, type DialGuardOptions } from '../forward/dial-guard.js';
import { Dialler } from '../forward/dialler.js';
import { HttpUpstream } from '../forward/http-upstream.js';
import type { UpstreamMetrics } from '../forward/upstream-metrics.js';
import { ParentProxy } from '../forward/parent-proxy.js';
import type { FileContents } from './file-contents.js';

/** The way to origin servers: where it may lead, whom it believes, and the connections that are kept on it. */
export interface Way {
  readonly dialler: Dialler;
  readonly upstream: HttpUpstream;
  /** Everything that it was made from. */
  readonly madeFrom: string;
}

/** The way that a configuration asks for: the one before, kept connections and all, if nothing about it has changed. */
export function wayFor(
  config: Config,
  files: FileContents,
  { destinations, via, logger, metrics, before }: WayOptions,
): Way {
  const madeFrom = JSON.stringify([upstreamMadeFrom(config, files), destinations, via]);
  if (before?.madeFrom === madeFrom) return before;
  const dialler = diallerFor(config, files, new DialGuard(destinations), via);
  return { dialler, upstream: new HttpUpstream({ ...config.upstream, dialler, logger, metrics }), madeFrom };
}

/** Makes connections as `upstream` says. @param via this node's member of `Via` */
export function diallerFor(config: Config, files: FileContents, guard: DialGuard, via: string): Dialler {
  const { proxy, noProxy, connectTimeout, ca } = config.upstream;
  const password = proxy?.passwordFile == null ? '' : files.secret(proxy.passwordFile);
  const parent = proxy && new ParentProxy(proxy.url, proxy.user === null ? null : { user: proxy.user, password });
  return new Dialler({ guard, ca: ca.map((path) => files.text(path)), connectTimeout, parent, noProxy, via });
}

/** `upstream`, and the contents of the files that it names. */
export const upstreamMadeFrom = ({ upstream }: Config, files: FileContents): unknown => [
  upstream,
  upstream.ca.map((path) => files.text(path)),
  upstream.proxy?.passwordFile == null ? '' : files.secret(upstream.proxy.passwordFile),
];

interface WayOptions {
  readonly destinations: DialGuardOptions;
  /** This node's member of `Via`. */
  readonly via: string;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
  readonly before: Way | null;
}
