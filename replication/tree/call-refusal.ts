import type { CallAnswer } from '../calls/node-caller.js';
import { CallFailed } from '../remote-holder.js';

/** What an answer that is a problem (RFC 9457) says. */
export function refusal(url: string, { status, text }: CallAnswer): CallFailed {
  const { type, detail } = problemIn(text);
  const reason = (/[^/:#]*$/.exec(type)?.[0] ?? '').slice(0, 64);
  const fault = status === 429 || status === 503 ? 'busy' : status >= 500 ? 'unreachable' : 'refused';
  const said = printed(detail === '' ? reason : detail);
  return new CallFailed(fault, url, reason, said === '' ? `answered with status ${status}` : `${said} (status ${status})`);
}

function problemIn(text: string): { readonly type: string; readonly detail: string } {
  try {
    const { type, detail } = JSON.parse(text.slice(0, longestProblem)) as { type?: unknown; detail?: unknown };
    return { type: typeof type === 'string' ? type : '', detail: typeof detail === 'string' ? detail : '' };
  } catch {
    // whatever it is, it is no problem that could be read; the status is said
    return { type: '', detail: '' };
  }
}

/** A foreign text, with nothing in it that a terminal would act on. */
const printed = (text: string): string =>
  text.slice(0, 300).replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?');

const longestProblem = 16_384;
