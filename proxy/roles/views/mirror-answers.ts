import type { EpochMs } from '../../../config/units.js';
import { openToPages } from '../../../wlis/html/mirror/mirror-fields.js';
import { WillisError } from '../../base/errors.js';
import { BufferedBody } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import { formatHttpDate } from '../../http/http-date.js';
import type { Request, Response } from '../../http/message.js';
import { hrefOf, type TargetUri } from '../../http/target-uri.js';

/** To where something is to be had; not for ever, for what is held here changes. */
export function ledTo(location: string, { method }: Request, now: EpochMs): Response {
  const lines = ['Location', location, 'Cache-Control', 'no-store', 'Date', formatHttpDate(now), 'Content-Length', '0'];
  const body = method === 'HEAD' ? null : BufferedBody.from('');
  return { status: 307, reason: 'Temporary Redirect', fields: new Fields([...lines, ...openToPages]), body };
}

/**
 * What would change something, or let a document rule over others that a browser has from here.
 * @param original what is asked for; null for a page of the node itself
 * @throws WillisError method-not-allowed, access-denied
 */
export function refuseMisuse({ method, fields }: Request, original: TargetUri | null): void {
  if (!allowed.includes(method)) {
    const where = original === null ? '' : `; what changes it goes to ${hrefOf(original)}`;
    throw new WillisError('method-not-allowed', `this is only shown here${where}`, {
      answerFields: ['Allow', allowed.join(', ')],
    });
  }
  if (fields.first('service-worker') === 'script') {
    throw new WillisError('access-denied', 'no script from here may become a service worker');
  }
}

/** What a page of another origin may ask for in a path space (Fetch §3.2), where every page is of one. */
export const preflightAnswer = (now: EpochMs): Response => ({
  status: 204,
  reason: 'No Content',
  fields: new Fields(['Allow', allowed.join(', '), 'Date', formatHttpDate(now), ...leave, ...openToPages]),
  body: null,
});

const allowed: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

const leave: readonly string[] = [
  ...['Access-Control-Allow-Methods', 'GET, HEAD', 'Access-Control-Allow-Headers', '*'],
  ...['Access-Control-Max-Age', '86400'],
];
