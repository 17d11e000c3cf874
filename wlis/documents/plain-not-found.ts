import type { IncomingResponse } from '../../proxy/forward/upstream.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';

/** What everybody says of what is not there, where the namespace itself says nothing. @param added names and values in turns */
export const plainNotFound = (
  method: string,
  added: readonly string[],
): Pick<IncomingResponse, 'status' | 'reason' | 'fields' | 'body'> => ({
  status: 404,
  reason: 'Not Found',
  fields: new Fields([...lines, ...added]),
  body: method === 'HEAD' ? null : new BufferedBody([text]),
});

const text = Buffer.from('There is nothing here.\n');

/** Not to be kept: what is not there now may be there soon. */
const lines = [
  ...['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(text.length)],
  ...['Cache-Control', 'no-cache', 'X-Content-Type-Options', 'nosniff'],
];
