import { createHash } from 'node:crypto';
import type { EpochMs } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { isNotModified } from '../../proxy/http/preconditions.js';
import { pacFile, type PacFacts } from './pac-file.js';

/** Whether a path is one at which browsers look for their configuration, by what they are told or by themselves. */
export const isPacPath = (path: string): boolean => path === '/proxy.pac' || path === '/wpad.dat';

/**
 * The answer to who asks for it. It is for one reader, for others reach this node by other addresses; and short-lived.
 * @param facts null if there is nothing that it could say
 * @throws WillisError method-not-allowed, not-found
 */
export function pacPage(request: Request, facts: PacFacts | null, now: EpochMs): Response {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new WillisError('method-not-allowed', 'the configuration of browsers can only be read');
  }
  if (facts === null) {
    throw new WillisError('not-found', 'there is no proxy that browsers could be sent to (clientSide.pac.proxies)');
  }
  const content = Buffer.from(pacFile(facts), 'latin1');
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  const lasting = ['Date', formatHttpDate(now), 'Cache-Control', 'private, max-age=60', 'ETag', etag];
  if (isNotModified(request, { etag, lastModified: null, date: null }, now)) {
    return { status: 304, reason: 'Not Modified', fields: new Fields(lasting), body: null };
  }
  const of = ['Content-Type', 'application/x-ns-proxy-autoconfig', 'Content-Length', String(content.length)];
  const fields = new Fields([...lasting, ...of, 'X-Content-Type-Options', 'nosniff']);
  return { status: 200, reason: 'OK', fields, body: request.method === 'HEAD' ? null : BufferedBody.from(content) };
}
