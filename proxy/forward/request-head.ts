import { lowerCaseName } from '../http/field-names.js';
import type { OutgoingRequest } from './upstream.js';

/**
 * The head of a request as it is sent (RFC 9112 §3, §5), Latin-1: origin-form target, the fields, and the framing of its
 * content. The fields are complete; what frames or belongs to the connection is written here and nowhere else. `close`: the
 * connection carries no other request (RFC 9112 §9.6).
 */
export function requestHead(request: OutgoingRequest, close: boolean): string {
  const { method, target, body, expectContinue } = request;
  let text = `${method} ${target.path} HTTP/1.1\r\n`;
  const { lines } = request.fields;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (!ownFields.has(lowerCaseName(name))) text += `${name}: ${lines[i + 1] as string}\r\n`;
  }
  if (body !== null)
    text += body.length === null ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`;
  else if (anticipatesContent.has(method)) text += 'Content-Length: 0\r\n';
  if (expectContinue === true && body !== null && body.length !== 0) text += 'Expect: 100-continue\r\n';
  return close ? `${text}Connection: close\r\n\r\n` : `${text}\r\n`;
}

const ownFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Methods for which the absence of content is worth saying (RFC 9110 §8.6). */
const anticipatesContent: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
