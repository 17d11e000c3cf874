import { fromBase64url, toBase64url } from './base64url.js';
import { canonicalJson } from './canonical-json.js';
import { NotBelieved, quoted } from './not-believed.js';
import { sha256 } from './sha256.js';

declare const publicKey: unique symbol;
declare const keyId: unique symbol;

/** An Ed25519 public key (RFC 8032 §5.1.5): its 32 bytes in base64url, as the `x` of a JWK (RFC 8037 §2). */
export type PublicKey = string & { readonly [publicKey]: true };

/** What a key is called in signatures and pins: its JWK thumbprint by SHA-256 in base64url (RFC 7638, RFC 8037 §2). */
export type KeyId = string & { readonly [keyId]: true };

/** @throws NotBelieved malformed; `what` names it */
export function parsePublicKey(text: string, what: string): PublicKey {
  if (!is32Bytes(text)) throw new NotBelieved('malformed', `${what}: ${quoted(text)} is no Ed25519 public key`);
  return text as PublicKey;
}

/** @throws NotBelieved malformed; `what` names it */
export function parseKeyId(text: string, what: string): KeyId {
  if (!is32Bytes(text)) throw new NotBelieved('malformed', `${what}: ${quoted(text)} is no key identifier`);
  return text as KeyId;
}

export const keyIdOf = (key: PublicKey): KeyId =>
  toBase64url(sha256(new TextEncoder().encode(canonicalJson(jwkOf(key))))) as KeyId;

export interface PublicJwk {
  readonly [member: string]: string;
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

export const jwkOf = (key: PublicKey): PublicJwk => ({ kty: 'OKP', crv: 'Ed25519', x: key });

const is32Bytes = (text: string): boolean => text.length === 43 && fromBase64url(text) !== null;
