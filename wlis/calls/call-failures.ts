import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { NotBelieved, quoted } from '../trust/not-believed.js';
import { CallFailed } from './call-failed.js';

/** What another node says of why it does not answer as was meant. */
export interface ToldProblem {
  /** Last part of its type; empty if it says none. */
  readonly type: string;
  readonly detail: string;
}

/** A call whose answer did not come, or broke. */
export function unreachable(url: string, error: unknown): CallFailed {
  const code = error instanceof WillisError ? error.code : '';
  const message = error instanceof Error ? error.message : String(error);
  return new CallFailed('unreachable', url, code, message, { cause: error });
}

/** What came cannot be true. Other errors are given as they are. */
export function disbelieved(url: string, error: unknown): unknown {
  if (!(error instanceof NotBelieved)) return error;
  return new CallFailed('not-believed', url, error.reason, error.message, { cause: error });
}

/** What an answer with this status means, which is none of those that its caller knows. */
export function refusal(url: string, status: number, { type, detail }: ToldProblem): CallFailed {
  const said = [type, detail === '' ? '' : quoted(detail)].filter((part) => part !== '').join(', ');
  const message = `answered ${status}${said === '' ? '' : ` (${said})`}`;
  return new CallFailed(faultOf(status, type), url, type, message);
}

function faultOf(status: number, type: string): CallFailed['fault'] {
  if (status === 410 || (status === 404 && type === 'not-here')) return 'gone';
  if (status === 429 || status === 503) return 'busy';
  return status >= 500 ? 'unreachable' : 'refused';
}

/** What `application/problem+json` says (RFC 9457); nothing of anything else. */
export function parseProblem(contentType: string | undefined, text: string): ToldProblem {
  if (!/^application\/problem\+json\b/i.test(contentType ?? '')) return nothing;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return nothing;
  }
  if (typeof value !== 'object' || value === null) return nothing;
  const { type, detail } = value as Record<string, unknown>;
  const last = typeof type === 'string' ? (/([a-z][a-z0-9-]{0,63})$/.exec(type)?.[1] ?? '') : '';
  return { type: last, detail: typeof detail === 'string' ? detail : '' };
}

export const secondsText = (duration: Milliseconds): string => `${Math.round(duration / 100) / 10} s`;

const nothing: ToldProblem = { type: '', detail: '' };
