import { canonicalJson, type Json } from '../../wlis/trust/canonical-json.js';
import { openSigningKey, type PrivateJwk } from '../../wlis/trust/jws.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved, quoted } from '../../wlis/trust/not-believed.js';
import { keyIdOf, parsePublicKey, type KeyId } from '../../wlis/trust/public-key.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { originOf, parseNamespace, type Namespace } from '../../wlis/namespace.js';

/** What a key is for; one made for something else is never used. */
export type KeyPurpose =
  /** says who a node is */
  | { readonly kind: 'node' }
  /** signs heads and groups of a namespace, if its root says so */
  | { readonly kind: 'namespace'; readonly namespace: Namespace }
  /** gives names to namespaces, to whoever trusts it */
  | { readonly kind: 'names' }
  /** signs the root statements of an authority, if the last one says so */
  | { readonly kind: 'root'; readonly origin: string };

export interface StoredKey {
  readonly purpose: KeyPurpose;
  readonly id: KeyId;
  readonly jwk: PrivateJwk;
}

/** A node has one key; of the others each has its name, so that none takes the place of another. */
export const keyFileName = ({ purpose: { kind }, id }: Pick<StoredKey, 'purpose' | 'id'>): string =>
  kind === 'node' ? 'node.jwk' : `${kind}-${id}.jwk`;

/** A private JWK (RFC 8037) that says what it is for. */
export const keyJson = ({ purpose, id, jwk: { kty, crv, x, d } }: StoredKey): Record<string, string> => ({
  ...{ kty, crv, x, d, kid: id, use: 'sig', wlis: purpose.kind },
  ...(purpose.kind === 'namespace' ? { namespace: purpose.namespace } : {}),
  ...(purpose.kind === 'root' ? { origin: purpose.origin } : {}),
});

/** @throws NotBelieved malformed; there is nothing of the secret in the message */
export async function parseStoredKey(value: Json): Promise<StoredKey> {
  const members = new Members(value, 'key');
  members.word('kty', 'OKP');
  members.word('crv', 'Ed25519');
  members.word('use', 'sig');
  const publicKey = parsePublicKey(members.text('x', 64), 'key');
  const jwk: PrivateJwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey, d: members.text('d', 64) };
  const id = keyIdOf(publicKey);
  if (members.value('kid') !== id) throw new NotBelieved('malformed', "key: 'kid' is not its thumbprint");
  const purpose = parsePurpose(members);
  members.end();
  await openSigningKey(jwk);
  return { purpose, id, jwk };
}

function parsePurpose(members: Members): KeyPurpose {
  const kind = members.text('wlis', 16);
  if (kind === 'node' || kind === 'names') return { kind };
  if (kind === 'namespace') return { kind, namespace: namespaceIn(members.text('namespace', longest)) };
  if (kind !== 'root') throw new NotBelieved('malformed', `key: 'wlis' is ${quoted(kind)}`);
  const origin = members.text('origin', longest);
  if (originOf(namespaceIn(`${origin}/`)) !== origin) {
    throw new NotBelieved('malformed', `key: ${quoted(origin)} is no origin`);
  }
  return { kind, origin };
}

function namespaceIn(text: string): Namespace {
  try {
    const namespace = parseNamespace(text);
    if (namespace === text) return namespace;
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
  }
  throw new NotBelieved('malformed', `key: ${quoted(text)} is no namespace in canonical spelling`);
}

export const isSamePurpose = (a: KeyPurpose, b: KeyPurpose): boolean =>
  canonicalJson({ ...a }) === canonicalJson({ ...b });

const longest = 16_384;
