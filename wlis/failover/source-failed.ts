import type { FailureReason } from '../choice/choice.js';

/** Why a node does not give what is asked of it, in words for people. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed';

  /** @param reason null if it says nothing of the health of the node: it does not hold this, or is behind */
  constructor(
    readonly reason: FailureReason | null,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether something is wrong with the node, for those who go on elsewhere. */
export const faultOf = ({ reason }: SourceFailed): 'none' | 'fault' | 'lie' =>
  reason === null ? 'none' : reason === 'false' ? 'lie' : 'fault';

/** What a request is given up with whose answer nobody waits for any more. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';

  /** @param isLate whether it had been waited for longer than the node has ever taken */
  constructor(readonly isLate: boolean) {
    super('another node has answered');
  }
}

/** Whether somebody was asked in vain, and not only for something else than it has. */
export const isFailure = (error: unknown): boolean =>
  error instanceof Overtaken ? error.isLate : error instanceof SourceFailed && error.reason !== null;
