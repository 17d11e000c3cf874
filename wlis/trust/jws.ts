import { compactVerify, CompactSign, errors, exportJWK, generateKeyPair, importJWK } from 'jose';
import { fromBase64url } from './base64url.js';
import { parseCanonicalJson } from './canonical-json.js';
import { Members } from './members.js';
import { NotBelieved } from './not-believed.js';
import { jwkOf, keyIdOf, parseKeyId, parsePublicKey, type KeyId, type PublicKey } from './public-key.js';

/** What is signed, said in the `typ` of the signature, so that one kind of statement never passes for another. */
export type StatementType = 'wlis-root' | 'wlis-group' | 'wlis-head' | 'wlis-doc' | 'wlis-node' | 'wlis-name';

/** A key pair as it is kept in a file: a private JWK (RFC 8037). */
export interface PrivateJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly d: string;
}

/** A key that can sign. */
export interface SigningKey {
  readonly id: KeyId;
  readonly publicKey: PublicKey;
  readonly sign: (type: StatementType, payload: string) => Promise<string>;
}

export async function newPrivateJwk(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { x = '', d = '' } = await exportJWK(privateKey);
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

/** @throws NotBelieved malformed for what is no key pair; the message has nothing of it */
export async function openSigningKey({ kty, crv, x, d }: PrivateJwk): Promise<SigningKey> {
  const publicKey = parsePublicKey(x, 'signing key');
  const id = keyIdOf(publicKey);
  let secret: Awaited<ReturnType<typeof importJWK>>;
  try {
    secret = await importJWK({ kty, crv, x, d }, 'EdDSA');
  } catch {
    throw new NotBelieved('malformed', 'signing key: no private Ed25519 key');
  }
  const sign = (type: StatementType, payload: string): Promise<string> =>
    new CompactSign(encoder.encode(payload)).setProtectedHeader({ alg: 'EdDSA', kid: id, typ: type }).sign(secret);
  return { id, publicKey, sign };
}

/**
 * The payload of a statement: a JWS in compact form (RFC 7515 §7.1) with `alg` EdDSA, `kid` and `typ`, and nothing else in
 * its head, each part in its only spelling.
 * @param keyFor the key of that name if it may sign this, otherwise null
 * @throws NotBelieved malformed, too-large, wrong-subject (another type), wrong-signature
 */
export async function openJws(
  type: StatementType,
  jws: string,
  keyFor: (id: KeyId) => PublicKey | null,
): Promise<string> {
  const what = `${type} statement`;
  if (jws.length > longest) throw new NotBelieved('too-large', `${what}: longer than ${longest} characters`);
  const parts = jws.split('.').map(fromBase64url);
  const [head, payload, signature] = parts;
  if (parts.length !== 3 || head == null || payload == null || signature?.length !== 64) {
    throw new NotBelieved('malformed', `${what}: no JWS in compact form`);
  }
  const key = keyFor(signerOf(textOf(head, what), type, what));
  if (key === null) throw new NotBelieved('wrong-signature', `${what}: of a key that may not sign this`);
  try {
    await compactVerify(jws, await verifierOf(key), { algorithms: ['EdDSA'] });
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError)) throw cause;
    throw new NotBelieved('wrong-signature', `${what}: the signature does not fit`, { cause });
  }
  return textOf(payload, what);
}

function signerOf(text: string, type: StatementType, what: string): KeyId {
  const members = new Members(parseCanonicalJson(text, what, 512), what);
  members.word('alg', 'EdDSA');
  const typ = members.text('typ', 64);
  const id = parseKeyId(members.text('kid', 64), what);
  members.end();
  if (typ !== type) throw new NotBelieved('wrong-subject', `${what}: it is of another type`);
  return id;
}

function textOf(data: Uint8Array, what: string): string {
  try {
    return decoder.decode(data);
  } catch (cause) {
    throw new NotBelieved('malformed', `${what}: no UTF-8`, { cause });
  }
}

type Verifier = Awaited<ReturnType<typeof importJWK>>;

async function verifierOf(key: PublicKey): Promise<Verifier> {
  const known = verifiers.get(key);
  if (known !== undefined) return known;
  const verifier = await importJWK({ ...jwkOf(key) }, 'EdDSA');
  if (verifiers.size >= mostVerifiers) verifiers.clear();
  verifiers.set(key, verifier);
  return verifier;
}

/** Making one takes longer than using it. Never more than these. */
const verifiers = new Map<PublicKey, Verifier>();
const mostVerifiers = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const longest = 1_048_576;
