import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { PrivateJwk } from './trust/jws.js';
import { NotBelieved } from './trust/not-believed.js';
import { jwkOf, keyIdOf, parsePublicKey, type KeyId, type PublicKey } from './trust/public-key.js';

/** The key of a node, by which others know who calls. */
export class CallKey {
  readonly id: KeyId;
  readonly publicKey: PublicKey;
  readonly #secret: KeyObject;

  /** @throws NotBelieved malformed for what is no key pair; the message has nothing of it */
  constructor({ kty, crv, x, d }: PrivateJwk) {
    this.publicKey = parsePublicKey(x, 'key of the node');
    this.id = keyIdOf(this.publicKey);
    try {
      this.#secret = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
    } catch {
      throw new NotBelieved('malformed', 'key of the node: no private Ed25519 key');
    }
    // the private half alone does the signing, whatever the other says
    if (createPublicKey(this.#secret).export({ format: 'jwk' }).x !== x) {
      throw new NotBelieved('malformed', 'key of the node: its halves do not belong together');
    }
  }

  /** Ed25519 (RFC 9421 §3.3.6). */
  sign(text: string): Uint8Array {
    return sign(null, Buffer.from(text), this.#secret);
  }
}

export const isSignedBy = (key: PublicKey, text: string, signature: Uint8Array): boolean =>
  signature.length === 64 && verify(null, Buffer.from(text), { key: { ...jwkOf(key) }, format: 'jwk' }, signature);
