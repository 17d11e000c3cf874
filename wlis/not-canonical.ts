/** A text that has no canonical URI. `message` says why, in words that continue "the URI …: ". */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}
