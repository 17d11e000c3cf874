import { digestBytes, type Digest } from '../../wlis/trust/digest.js';

/** The digest of a representation as downloaders read it (RFC 3230), as a field line. */
export const digestLine = (digest: Digest): readonly string[] => [
  'Digest',
  `SHA-256=${Buffer.from(digestBytes(digest)).toString('base64')}`,
];
