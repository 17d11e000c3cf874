import type { OutgoingRequest } from './upstream.js';

/**
 * The head of a request as it is sent (RFC 9112 §3, §5), Latin-1: origin-form target, the fields, and the framing of its
 * content. The fields are complete; what frames or belongs to the connection is written here and nowhere else. `close`: the
 * connection carries no other request (RFC 9112 §9.6).
 */
export function requestHead(request: OutgoingRequest, close: boolean): string {
  const { method, target, body, expectContinue } = request;
  const fields = request.fields.filter((name) => !ownFields.has(name));
  let extra = '';
  if (body !== null)
    extra = body.length === null ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`;
  else if (anticipatesContent.has(method)) extra = 'Content-Length: 0\r\n';
  if (expectContinue === true && body !== null && body.length !== 0) extra += 'Expect: 100-continue\r\n';
  if (close) extra += 'Connection: close\r\n';
  return `${method} ${target.path} HTTP/1.1\r\n${fields.wire()}${extra}\r\n`;
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
