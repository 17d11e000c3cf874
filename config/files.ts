import type { CheckedConfig } from './schema.js';
import type { Listener } from './side-keys.js';

/** A file that a configuration names. */
export interface NamedFile {
  /** The key that names it, as in `listen.proxy.tls[0].cert`. */
  readonly key: string;
  readonly path: string;
  /** `secret`: one line that nobody else may know; `users`: as `willis user` writes it; `mirrors`: a list
   * of mirrors; `module`: of JavaScript; `append`: written to. */
  readonly use: 'certificate' | 'key' | 'authorities' | 'secret' | 'users' | 'mirrors' | 'module' | 'append';
}

type FileKeys = Pick<
  CheckedConfig,
  'node' | 'listen' | 'access' | 'upstream' | 'primary' | 'replicated' | 'clientSide' | 'log'
>;

/** Every file that a configuration names, but for directories, in the order of its keys; a certificate is followed by its key. */
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
  const add = (key: string, path: string | null | undefined, use: NamedFile['use']): void => {
    if (path != null) files.push({ key, path, use });
  };
  add('access.authentication.usersFile', config.access.authentication.usersFile, 'users');
  add('access.operator.tokenFile', config.access.operator.tokenFile, 'secret');
  add('upstream.proxy.passwordFile', config.upstream.proxy?.passwordFile, 'secret');
  for (const [index, path] of config.upstream.ca.entries()) {
    files.push({ key: `upstream.ca[${index}]`, path, use: 'authorities' });
  }
  for (const [index, { replicas }] of config.primary.namespaces.entries()) {
    add(`primary.namespaces[${index}].replicas.tokenFile`, replicas.tokenFile, 'secret');
  }
  for (const [index, { tokenFile }] of config.replicated.namespaces.entries()) {
    add(`replicated.namespaces[${index}].tokenFile`, tokenFile, 'secret');
  }
  add('clientSide.choice', choiceModule(config.clientSide.choice), 'module');
  for (const [index, { list }] of config.clientSide.mirrors.entries()) {
    add(`clientSide.mirrors[${index}].list`, list, 'mirrors');
  }
  add('log.access.path', config.log.access.path, 'append');
  return files;
}

/** The configuration with every path of a file or directory replaced by what `map` makes of it. */
export function withPaths<C extends FileKeys>(config: C, map: (path: string) => string): C {
  const listener = (one: Listener | null): Listener | null =>
    one && { ...one, tls: one.tls?.map(({ cert, key }) => ({ cert: map(cert), key: map(key) })) ?? null };
  const optional = (path: string | null): string | null => (path === null ? null : map(path));
  const { node, listen, access, upstream, primary, replicated, clientSide, log } = config;
  const { authentication, operator } = access;
  return {
    ...config,
    node: { ...node, data: map(node.data) },
    listen: { proxy: listener(listen.proxy), site: listener(listen.site), admin: listener(listen.admin) },
    access: {
      ...access,
      authentication: { ...authentication, usersFile: optional(authentication.usersFile) },
      operator: { ...operator, tokenFile: optional(operator.tokenFile) },
    },
    upstream: {
      ...upstream,
      proxy: upstream.proxy && { ...upstream.proxy, passwordFile: optional(upstream.proxy.passwordFile) },
      ca: upstream.ca.map(map),
    },
    primary: {
      namespaces: primary.namespaces.map((one) => ({
        ...one,
        directory: map(one.directory),
        replicas: { ...one.replicas, tokenFile: optional(one.replicas.tokenFile) },
      })),
    },
    replicated: {
      namespaces: replicated.namespaces.map((one) => ({ ...one, tokenFile: optional(one.tokenFile) })),
    },
    clientSide: {
      ...clientSide,
      choice: choiceModule(clientSide.choice) === null ? clientSide.choice : map(clientSide.choice),
      mirrors: clientSide.mirrors.map((one) => ({ ...one, list: optional(one.list) })),
    },
    log: { ...log, access: { ...log.access, path: optional(log.access.path) } },
  };
}

/** The file of a choice that is none of the own ones; null for one that is. */
export const choiceModule = (choice: string): string | null => (ownChoices.has(choice) ? null : choice);

const ownChoices: ReadonlySet<string> = new Set(['nearest', 'random', 'weighted', 'sticky']);
