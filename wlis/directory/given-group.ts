import { NotBelieved } from '../trust/not-believed.js';
import type { LearnedNamespace } from './learned-namespace.js';

/**
 * Takes a statement of a group that somebody has given. If a key has signed it that is not known, newer root statements are
 * asked for, there too.
 * @returns whether it was news
 * @throws NotBelieved
 */
export async function takeGroup(
  known: LearnedNamespace,
  jws: string,
  from: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await known.take(jws);
  } catch (error) {
    if (!(error instanceof NotBelieved) || error.reason !== 'wrong-signature') throw error;
    if (!(await known.seekKeys(from, signal))) throw error;
    return known.take(jws);
  }
}
