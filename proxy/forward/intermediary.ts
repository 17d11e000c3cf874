import type { EpochMs } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { BufferedBody } from '../http/body.js';
import { Fields } from '../http/fields.js';
import { withoutHopByHop } from '../http/hop-by-hop.js';
import { formatHttpDate } from '../http/http-date.js';
import type { Request, Response } from '../http/message.js';
import { hrefOf } from '../http/target-uri.js';
import { cdnLoopEntry, isLoop, viaEntry, type NodeIdentity } from '../http/via.js';

/**
 * What an intermediary owes every request before it goes further: refuses a loop (RFC 9110 §7.6.3, RFC 8586), answers
 * TRACE and OPTIONS that may go no further (RFC 9110 §7.6.2), refuses expectations it does not know (§10.1.1).
 * Null if the request goes on. @throws WillisError `loop`, `expectation-failed`
 */
export function finalAnswerHere(request: Request, identity: NodeIdentity, now: EpochMs): Response | null {
  if (isLoop(request.fields, identity))
    throw new WillisError('loop', `${hrefOf(request.target)} came back to this node`);
  const expect = request.fields.get('expect');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new WillisError('expectation-failed', `unknown expectation "${expect.slice(0, 80)}"`);
  }
  if (!limitsForwards(request.method) || maxForwards(request.fields) !== 0) return null;
  return request.method === 'TRACE' ? traced(request, now) : options(now);
}

/** The end-to-end fields with which a request leaves this node; `host` is the authority it is for. */
export function outgoingFields(request: Request, identity: NodeIdentity, host: string): Fields {
  const { fields, version, method } = request;
  const left = limitsForwards(method) ? maxForwards(fields) : null;
  const kept = withoutHopByHop(fields, left === null ? written : writtenWithLimit);
  const lines = ['Host', host, ...kept.lines, 'Via', viaEntry(version, identity), 'CDN-Loop', cdnLoopEntry(identity)];
  if (left !== null) lines.push('Max-Forwards', String(left - 1));
  return new Fields(lines);
}

/** What is written anew, or is for this node alone. */
const written: ReadonlySet<string> = new Set(['host', 'expect']);
const writtenWithLimit: ReadonlySet<string> = new Set([...written, 'max-forwards']);

/** The methods whose forwarding Max-Forwards limits. */
const limitsForwards = (method: string): boolean => method === 'TRACE' || method === 'OPTIONS';

/** Null if there is none, or none that is a number. */
function maxForwards(fields: Fields): number | null {
  const value = fields.first('max-forwards');
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

/** RFC 9110 §9.3.8: the request as it was received, without what is nobody else's business. */
function traced(request: Request, now: EpochMs): Response {
  const secret = ['authorization', 'cookie', 'proxy-authorization'];
  const head = `TRACE ${request.form === 'origin' ? request.target.path : hrefOf(request.target)} HTTP/${request.version}\r\n`;
  const body = BufferedBody.from(Buffer.from(`${head}${request.fields.without(...secret).wire()}\r\n`, 'latin1'));
  const fields = Fields.of({ 'Content-Type': 'message/http', 'Cache-Control': 'no-store', Date: formatHttpDate(now) });
  return { status: 200, reason: 'OK', fields, body };
}

function options(now: EpochMs): Response {
  const fields = Fields.of({
    Allow: 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE',
    'Content-Length': '0',
    Date: formatHttpDate(now),
  });
  return { status: 200, reason: 'OK', fields, body: BufferedBody.from('') };
}
