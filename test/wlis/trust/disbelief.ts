import { NotBelieved, type Disbelief } from '../../../wlis/trust/not-believed.js';

/** For `assert.throws` and `assert.rejects`: refused for that reason, with a message that says as much. */
export const disbelief =
  (reason: Disbelief, message = /./) =>
  (error: unknown): boolean =>
    error instanceof NotBelieved && error.reason === reason && message.test(error.message);
