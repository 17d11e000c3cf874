import type { Config, PublishedNamespace, ReplicatedNamespaceKeys } from '../../../config/schema.js';
import { formatProxyUri } from '../../../config/origin-uri.js';
import { compileRules, type CompiledRules } from '../../../replication/source/source-rules.js';
import { longestToken } from '../../../replication/tree/join-request.js';
import { cronFault } from '../../../replication/update-window.js';
import { NotCanonical } from '../../../wlis/not-canonical.js';
import { parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import type { KeyId } from '../../../wlis/trust/public-key.js';
import type { FileContents } from '../file-contents.js';
import type { KeyProblem } from '../refused-configuration.js';

/** A namespace that a configuration wants published. */
export interface WantedPrimary {
  readonly kind: 'primary';
  readonly namespace: Namespace;
  readonly keys: PublishedNamespace;
  readonly rules: CompiledRules;
  readonly token: string | null;
  /** Everything that it was made from. */
  readonly madeFrom: string;
}

/** A namespace that a configuration wants replicated. */
export interface WantedReplica {
  readonly kind: 'replica';
  readonly namespace: Namespace;
  readonly keys: ReplicatedNamespaceKeys;
  /** `https://primary.example` */
  readonly from: string;
  readonly token: string | null;
  /** The name of the root key, if the operator has said it. */
  readonly root: KeyId | null;
  readonly firstUse: boolean;
  readonly madeFrom: string;
}

export type WantedNamespace = WantedPrimary | WantedReplica;

export interface WantedNamespaces {
  readonly all: readonly WantedNamespace[];
  readonly problems: readonly KeyProblem[];
}

/** What a configuration says of namespaces, and what the table of its keys could not find wrong with it. */
export function wantedNamespaces(config: Config, files: FileContents): WantedNamespaces {
  const problems: KeyProblem[] = [];
  const all: WantedNamespace[] = [];
  const url = config.node.url && formatProxyUri(config.node.url);
  const { data, geo, capacity } = config.node;
  // names, and how often peers are asked, are nothing to them
  const { privateAddresses, peers, trust } = config.wlis;
  const shared = [url, privateAddresses, peers, trust.roots, trust.firstUse, data, geo, capacity];
  for (const [index, keys] of config.primary.namespaces.entries()) {
    const at = `primary.namespaces[${index}]`;
    const namespace = namespaceOf(keys.url, `${at}.url`, problems);
    problems.push(...headerProblems(keys, at));
    if (namespace === null) continue;
    const { tokenFile } = keys.replicas;
    const token = tokenFile === null ? null : files.secret(tokenFile);
    problems.push(...tokenProblems(token, `${at}.replicas.tokenFile`));
    const madeFrom = JSON.stringify([keys, token, shared]);
    all.push({ kind: 'primary', namespace, keys, rules: rulesOf(keys, namespace), token, madeFrom });
  }
  for (const [index, keys] of config.replicated.namespaces.entries()) {
    const at = `replicated.namespaces[${index}]`;
    const namespace = namespaceOf(keys.url, `${at}.url`, problems);
    problems.push(...cronProblems(keys, at));
    if (namespace === null) continue;
    const from = formatProxyUri(keys.from);
    problems.push(...tlsProblems(namespace, from, `${at}.from`));
    const token = keys.tokenFile === null ? null : files.secret(keys.tokenFile);
    problems.push(...tokenProblems(token, `${at}.tokenFile`));
    const { roots, firstUse } = config.wlis.trust;
    const root = roots.find(({ origin }) => namespace.startsWith(`${formatProxyUri(origin)}/`))?.key ?? null;
    // how browsers see its pages is nothing to what is held
    const madeFrom = JSON.stringify([{ ...keys, html: null }, token, shared]);
    all.push({ kind: 'replica', namespace, keys, from, token, root: root as KeyId | null, firstUse, madeFrom });
  }
  return { all, problems };
}

function namespaceOf(url: string, key: string, problems: KeyProblem[]): Namespace | null {
  try {
    return parseNamespace(url);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    problems.push({ key, expected: 'the URL of a namespace', got: `${url} (${error.message})` });
    return null;
  }
}

/** A field that a record cannot have would be left out of every answer without a word. */
const headerProblems = ({ headers }: PublishedNamespace, at: string): KeyProblem[] =>
  headers.flatMap(({ set }, index) =>
    Object.entries(set).flatMap(([name, value]): KeyProblem[] => {
      if (fieldsBlock([name, value]).length > 0) return [];
      const expected =
        'fields that a document can have on all nodes, which those of the message, the node or a connection are not';
      return [{ key: `${at}.headers[${index}].set`, expected, got: name }];
    }),
  );

function cronProblems({ update }: ReplicatedNamespaceKeys, at: string): KeyProblem[] {
  const fault = update === 'immediately' ? null : cronFault(update.cron);
  return fault === null ? [] : [{ key: `${at}.update.cron`, expected: 'five fields as in a crontab', got: fault }];
}

const tokenProblems = (token: string | null, key: string): KeyProblem[] =>
  token !== null && token.length > longestToken
    ? [{ key, expected: `a token of at most ${longestToken} characters`, got: `one of ${token.length}` }]
    : [];

const tlsProblems = (namespace: Namespace, from: string, key: string): KeyProblem[] =>
  namespace.startsWith('https:') && !from.startsWith('https:')
    ? [{ key, expected: 'an https URL, since the namespace is one of https', got: from }]
    : [];

function rulesOf(keys: PublishedNamespace, namespace: Namespace): CompiledRules {
  const { include, exclude, dotfiles, indexPages, cleanUrls, types, headers, redirects } = keys;
  const isAtTop = new URL(namespace).pathname === '/';
  return compileRules({ include, exclude, dotfiles, indexPages, cleanUrls, types, headers, redirects }, isAtTop);
}
