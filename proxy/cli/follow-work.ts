import type { ProgressLine } from '../admin/progress-body.js';
import { CallFailed, type OperatorClient } from './operator-client.js';

export interface WorkFollowing<P> {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: P) => void;
}

/**
 * Asks a node for work that tells how far it is, and gives what came of it; null if it was given up.
 * @param members what the operator side takes
 * @throws CallFailed if it is refused or fails, or the node does not come to its end
 */
export async function followWork<P, R>(
  client: OperatorClient,
  path: string,
  members: Readonly<Record<string, unknown>>,
  { signal, onProgress }: WorkFollowing<P>,
): Promise<R | null> {
  let last: ProgressLine<P, R> = { type: 'begun' };
  const onLine = (line: unknown): void => {
    last = line as ProgressLine<P, R>;
    if (last.type === 'progress' && last.progress !== null) onProgress(last.progress);
  };
  await client.follow(path, members, { signal, onLine });
  return resultOf<P, R>(last, signal);
}

function resultOf<P, R>(last: ProgressLine<P, R>, signal: AbortSignal): R | null {
  if (last.type === 'done') return last.result;
  if (last.type === 'failed') throw new CallFailed(last.detail);
  if (signal.aborted) return null;
  throw new CallFailed('the node has broken off before it was done');
}
