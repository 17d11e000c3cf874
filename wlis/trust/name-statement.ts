import { epochMs, type EpochMs } from '../../config/units.js';
import { NotCanonical } from '../not-canonical.js';
import { parseNamespace, type Namespace } from '../namespace.js';
import { fromBase32, toBase32 } from './base32.js';
import { fromBase64url, toBase64url } from './base64url.js';
import { canonicalJson, parseCanonicalJson } from './canonical-json.js';
import { openJws, type SigningKey } from './jws.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';
import { keyIdOf, parsePublicKey, type KeyId, type PublicKey } from './public-key.js';

/** What somebody who may give names says of one. */
export interface NameStatement {
  /** `manual` for `http://manual.wlis/`; `*.docs` for all names below `docs.wlis`. */
  readonly name: string;
  /** What it stands for; null if it stands for nothing any more. */
  readonly namespace: Namespace | null;
  /** Higher in every later statement of the same key about the same name. */
  readonly serial: number;
  readonly issued: EpochMs;
  /** From then on it stands for nothing. */
  readonly expires: EpochMs;
  /** That signs this. */
  readonly key: PublicKey;
}

/** A name and the statement that says it. */
export interface SignedName {
  readonly statement: NameStatement;
  readonly jws: string;
}

/** @throws NotBelieved for what no reader would take */
export async function signName(statement: Omit<NameStatement, 'key'>, key: SigningKey): Promise<SignedName> {
  const whole = { ...statement, key: key.publicKey };
  const payload = namePayload(whole);
  parsePayload(payload);
  return { statement: whole, jws: await key.sign('wlis-name', payload) };
}

/**
 * Reads a statement and checks that the key in it has signed it. Whether the word of that key counts for that name is not said
 * thereby (`mayName`).
 * @throws NotBelieved malformed, too-large, wrong-subject, wrong-signature
 */
export async function openName(jws: string): Promise<SignedName> {
  if (jws.length > longest) throw new NotBelieved('too-large', `name: longer than ${longest} characters`);
  const payload = fromBase64url(jws.split('.')[1] ?? '');
  if (payload === null) throw new NotBelieved('malformed', 'name: no JWS in compact form');
  const { key } = parsePayload(new TextDecoder().decode(payload));
  const own = keyIdOf(key);
  // what is read is what was signed
  const text = await openJws('wlis-name', jws, (id) => (id === own ? key : null));
  return { statement: parsePayload(text), jws };
}

/** Whether the word of a key counts for a name: the name is the key's own, or nobody's and the key is one of the naming keys. */
export const mayName = (key: KeyId, name: string, namingKeys: readonly KeyId[]): boolean =>
  certifiesItself(name) ? isOwnName(key, name) : namingKeys.includes(key);

/** Whether its last label is one of those that say which key gives a name: then nobody else gives it. */
export const certifiesItself = (name: string): boolean => /(?:^|\.)k-[a-z2-7]{52}$/.test(name);

/** The key that alone gives a name that certifies itself; null for other names. */
export function ownerOf(name: string): KeyId | null {
  const id = certifiesItself(name) ? fromBase32(name.slice(-52)) : null;
  return id === null ? null : (toBase64url(id) as KeyId);
}

/** Whether a name certifies itself: its last label says which key gives it. */
export const isOwnName = (key: KeyId, name: string): boolean => name.split('.').at(-1) === ownLabel(key);

/** `k-` and 52 letters and digits: the name of the key (its thumbprint) in base 32. Only that key gives names that end so. */
export const ownLabel = (key: KeyId): string => `k-${toBase32(fromBase64url(key) ?? new Uint8Array())}`;

/**
 * Whether a statement takes the place of another one by the same key about the same name. Two under one serial are a fault of
 * their signer; then everybody takes the same one.
 */
export function isLaterName(offered: SignedName, known: SignedName): boolean {
  const order = offered.statement.serial - known.statement.serial;
  return order === 0 ? offered.jws > known.jws : order > 0;
}

function namePayload({ name, namespace, serial, issued, expires, key }: NameStatement): string {
  return canonicalJson({ name, namespace, serial, issued, expires, key });
}

function parsePayload(text: string): NameStatement {
  const members = new Members(parseCanonicalJson(text, 'name', longest), 'name');
  const namespace = members.value('namespace');
  const statement = {
    name: members.text('name', longestName),
    namespace: namespace === null ? null : namespaceIn(members.text('namespace', longestUri)),
    serial: members.integer('serial', 1),
    issued: epochMs(members.integer('issued', 0)),
    expires: epochMs(members.integer('expires', 0)),
    key: parsePublicKey(members.text('key', 64), "name: 'key'"),
  };
  members.end();
  if (!isListedName(statement.name)) throw wrong(`${quoted(statement.name)} is no name`);
  if (statement.issued > statement.expires) throw wrong('issued and expires are out of order');
  return statement;
}

/** Whether it is a name as it may be listed: labels in lower case, or a star and labels. */
export const isListedName = (text: string): boolean =>
  text.length <= longestName && isLabels.test(text.startsWith('*.') ? text.slice(2) : text);

function namespaceIn(text: string): Namespace {
  try {
    const namespace = parseNamespace(text);
    if (namespace === text) return namespace;
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
  }
  throw wrong(`${quoted(text)} is no namespace in its canonical spelling`);
}

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `name: ${fault}`);

const isLabels = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** With `.wlis` behind it, it has to be a host name. */
const longestName = 248;
const longestUri = 4096;
const longest = 16_384;
