/** Why something that others sent is not taken for true. */
export type Disbelief =
  /** it is not in the form that docs/protocol.md fixes */
  | 'malformed'
  /** it is larger than anything honest needs to be */
  | 'too-large'
  /** bytes that are not those of the digest */
  | 'wrong-digest'
  /** a path that does not lead to the root */
  | 'wrong-proof'
  /** a signature that does not fit, or not of a key that may sign this */
  | 'wrong-signature'
  /** true, but of something else than was asked for */
  | 'wrong-subject'
  /** older than what is known, or no longer valid */
  | 'out-of-date'
  /** two statements of one signer that exclude each other */
  | 'equivocation';

/** What others sent and cannot be believed. `message` says what is wrong with what, never more of its text than a little. */
export class NotBelieved extends Error {
  override readonly name = 'NotBelieved';

  constructor(
    readonly reason: Disbelief,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/** A foreign text for a message: the beginning of it, quoted, with nothing in it that a terminal would act on. */
export function quoted(text: string): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?');
}

const longest = 60;
