import { epochMs, type EpochMs } from '../../config/units.js';
import { NotCanonical } from '../not-canonical.js';
import { originOf, parseNamespace, type Namespace } from '../namespace.js';
import { canonicalJson, parseCanonicalJson, type Json } from './canonical-json.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';
import { keyIdOf, parseKeyId, parsePublicKey, type KeyId, type PublicKey } from './public-key.js';

/** What an authority (scheme, host, port) states of its namespaces: which there are, and whose word counts for each. */
export interface RootStatement {
  /** `https://docs.example.org` */
  readonly origin: string;
  /** 1 for the first statement, then one more for each. */
  readonly serial: number;
  readonly issued: EpochMs;
  /** That signs this. */
  readonly rootKey: PublicKey;
  /** The only key that may take its place; named before it is used, so that a stolen root key cannot name its own. */
  readonly nextRootKey: KeyId;
  /** In the order of their URIs. */
  readonly namespaces: readonly StatedNamespace[];
}

export interface StatedNamespace {
  readonly namespace: Namespace;
  /** By serial, the highest last: it alone counts. */
  readonly signers: readonly Signer[];
  /** Other schemes and ports of the same host under which the same documents stand. */
  readonly aliases: readonly Namespace[];
}

/** A key that the root trusts to sign heads and groups of a namespace. */
export interface Signer {
  readonly key: PublicKey;
  readonly serial: number;
  readonly notAfter: EpochMs;
}

/** The text that is signed. @throws NotBelieved for what no reader would take */
export function rootPayload(statement: RootStatement): string {
  const { namespaces, origin, serial, issued, rootKey, nextRootKey } = statement;
  const stated = namespaces.map(({ namespace, signers, aliases }) => ({
    namespace,
    signers: signers.map(({ key, serial: ofSigner, notAfter }) => ({ key, serial: ofSigner, notAfter })),
    aliases: aliases.length === 0 ? undefined : aliases,
  }));
  const payload = canonicalJson({ origin, serial, issued, rootKey, nextRootKey, namespaces: stated });
  parseRootPayload(payload);
  return payload;
}

/** @throws NotBelieved malformed, too-large */
export function parseRootPayload(text: string): RootStatement {
  const members = new Members(parseCanonicalJson(text, 'root statement', longest), 'root statement');
  const origin = members.text('origin', 512);
  checkOrigin(origin);
  const statement: RootStatement = {
    origin,
    serial: members.integer('serial', 1),
    issued: epochMs(members.integer('issued', 0)),
    rootKey: parsePublicKey(members.text('rootKey', 64), "root statement: 'rootKey'"),
    nextRootKey: parseKeyId(members.text('nextRootKey', 64), "root statement: 'nextRootKey'"),
    namespaces: members.list('namespaces', mostNamespaces).map((one) => parseStated(one, origin)),
  };
  members.end();
  if (statement.nextRootKey === keyIdOf(statement.rootKey)) throw wrong('the next root key is the present one');
  checkAscending(
    statement.namespaces.map(({ namespace }) => namespace),
    'namespaces',
  );
  return statement;
}

/** The key that signs for a namespace, null if none does now. A higher serial ends the lower ones, even if it is over. */
export function signerFor(statement: RootStatement, namespace: Namespace, now: EpochMs): Signer | null {
  const stated = statement.namespaces.find((one) => one.namespace === namespace);
  const signer = stated?.signers.at(-1);
  return signer !== undefined && now <= signer.notAfter ? signer : null;
}

/** What `openHead` asks: the key of that name, if it is the one that signs for the namespace now. */
export function keyForNamespace(
  statement: RootStatement,
  namespace: Namespace,
  now: EpochMs,
): (id: KeyId) => PublicKey | null {
  const signer = signerFor(statement, namespace, now);
  return (id) => (signer !== null && keyIdOf(signer.key) === id ? signer.key : null);
}

function parseStated(value: Json, origin: string): StatedNamespace {
  const what = 'root statement: namespace';
  const members = new Members(value, what);
  const namespace = canonicalNamespace(members.text('namespace', longestUri));
  if (originOf(namespace) !== origin) throw wrong(`${quoted(namespace)} is not of ${origin}`);
  const signers = members.list('signers', mostSigners).map(parseSigner);
  const aliases = members.optional('aliases', (name) => members.list(name, mostAliases)) ?? null;
  members.end();
  if (signers.length === 0) throw wrong(`${quoted(namespace)} without a signer`);
  for (const [i, { serial }] of signers.entries()) {
    if (serial <= (signers[i - 1]?.serial ?? 0)) throw wrong(`signers of ${quoted(namespace)} out of order`);
  }
  return { namespace, signers, aliases: aliases === null ? [] : parseAliases(aliases, namespace) };
}

function parseSigner(value: Json): Signer {
  const members = new Members(value, 'root statement: signer');
  const signer = {
    key: parsePublicKey(members.text('key', 64), "root statement: signer: 'key'"),
    serial: members.integer('serial', 1),
    notAfter: epochMs(members.integer('notAfter', 0)),
  };
  members.end();
  return signer;
}

function parseAliases(list: readonly Json[], namespace: Namespace): Namespace[] {
  const aliases = list.map((one) => {
    const alias = canonicalNamespace(typeof one === 'string' ? one : '');
    // another host speaks for itself
    if (hostOf(alias) !== hostOf(namespace)) throw wrong(`${quoted(alias)} is an alias on another host`);
    return alias;
  });
  checkAscending(aliases, 'aliases');
  if (aliases.length === 0) throw wrong('an empty list of aliases');
  return aliases;
}

function checkOrigin(origin: string): void {
  if (originOf(canonicalNamespace(`${origin}/`)) !== origin) throw wrong(`${quoted(origin)} is no origin`);
}

function checkAscending(texts: readonly string[], what: string): void {
  for (const [i, text] of texts.entries()) {
    if (i > 0 && text <= (texts[i - 1] as string)) throw wrong(`${what} out of order`);
  }
}

function canonicalNamespace(text: string): Namespace {
  try {
    const namespace = parseNamespace(text);
    if (namespace === text) return namespace;
    throw new NotCanonical('not in its canonical spelling');
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new NotBelieved('malformed', `root statement: ${quoted(text)}: ${error.message}`, { cause: error });
  }
}

const hostOf = (namespace: Namespace): string => new URL(namespace).hostname;

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `root statement: ${fault}`);

const mostNamespaces = 4096;
const mostSigners = 16;
const mostAliases = 16;
const longestUri = 16_384;
const longest = 786_432;
