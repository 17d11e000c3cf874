import type { CheckedConfig, Listener } from './schema.js';

/** A file that a configuration names. */
export interface NamedFile {
  /** The key that names it, as in `listen.proxy.tls[0].cert`. */
  readonly key: string;
  readonly path: string;
  readonly use: 'certificate' | 'key' | 'authorities' | 'append';
}

type FileKeys = Pick<CheckedConfig, 'listen' | 'upstream' | 'log'>;

/** Every file that a configuration names, in the order of its keys; a certificate is followed by its key. */
export function filesNamedBy(config: FileKeys): NamedFile[] {
  const files: NamedFile[] = [];
  for (const [name, listener] of Object.entries(config.listen)) {
    for (const [index, { cert, key }] of (listener?.tls ?? []).entries()) {
      const pair = `listen.${name}.tls[${index}]`;
      files.push(
        { key: `${pair}.cert`, path: cert, use: 'certificate' },
        { key: `${pair}.key`, path: key, use: 'key' },
      );
    }
  }
  for (const [index, path] of config.upstream.ca.entries()) {
    files.push({ key: `upstream.ca[${index}]`, path, use: 'authorities' });
  }
  if (config.log.access.path !== null)
    files.push({ key: 'log.access.path', path: config.log.access.path, use: 'append' });
  return files;
}

/** The configuration with every path of a file replaced by what `map` makes of it. */
export function withPaths<C extends FileKeys>(config: C, map: (path: string) => string): C {
  const listener = (one: Listener | null): Listener | null =>
    one && { ...one, tls: one.tls?.map(({ cert, key }) => ({ cert: map(cert), key: map(key) })) ?? null };
  const { proxy, site, admin } = config.listen;
  const { access } = config.log;
  return {
    ...config,
    listen: { proxy: listener(proxy), site: listener(site), admin: listener(admin) },
    upstream: { ...config.upstream, ca: config.upstream.ca.map(map) },
    log: { ...config.log, access: { ...access, path: access.path === null ? null : map(access.path) } },
  };
}
