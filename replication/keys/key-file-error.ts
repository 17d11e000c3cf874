/** A file of keys that cannot be used, or an act that the keys that are there do not allow. `message` names the file. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}
