import { createHash, createPrivateKey } from 'node:crypto';
import { openSigningKey, type SigningKey } from '../../../wlis/trust/jws.js';

/** PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that is the same in every run. */
export async function keyNamed(name: string): Promise<SigningKey> {
  const secret = createHash('sha256').update(name).digest();
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, secret]), format: 'der', type: 'pkcs8' });
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  return openSigningKey({ kty: 'OKP', crv: 'Ed25519', x, d });
}
