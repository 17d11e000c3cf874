import type { Request } from '../http/message.js';
import type { Members } from './json-request.js';
import { json, type OperatorAnswer } from './operator-answers.js';
import type { OperatorControl } from './operator-control.js';

/** `POST /api/reload`: what has changed by it, or 422 with the reason why nothing has (RFC 9110 §15.5.21, RFC 9457). */
export async function reloadAnswer(
  members: Members,
  control: OperatorControl,
  request: Request,
): Promise<OperatorAnswer> {
  members.end();
  try {
    const { changes } = await control.reread();
    return json({ changes });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const problem = {
      title: 'The configuration cannot be put in force; the one before it stays.',
      status: 422,
      detail,
      code: 'config-refused',
      requestId: request.id,
      instance: `urn:willis:request:${encodeURIComponent(request.id)}`,
    };
    return { ...json(problem), status: 422, reason: 'Unprocessable Content', type: 'application/problem+json' };
  }
}
