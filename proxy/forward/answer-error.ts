import { WillisError, type ErrorCode } from '../base/errors.js';

/**
 * A failure after the connection was made as one of the error table. `phase` is what of the response had come: a
 * connection that ends is a reset before the head is complete, and an incomplete response after it.
 */
export function answerError(error: unknown, phase: 'head' | 'body'): WillisError {
  if (error instanceof WillisError) {
    if (error.code !== 'upstream-reset' || phase === 'head') return error;
    return new WillisError('upstream-incomplete', error.message, { cause: error.cause });
  }
  const { code, name, message } = error as NodeJS.ErrnoException;
  const known = answerCode(code ?? name, message, phase);
  const broken: ErrorCode = phase === 'head' ? 'upstream-reset' : 'upstream-incomplete';
  return new WillisError(known === 'broken' ? broken : known, message.split('\n', 1)[0] ?? '', { cause: error });
}

function answerCode(code: string, message: string, phase: 'head' | 'body'): ErrorCode | 'broken' {
  if (/EOF/.test(`${code} ${message}`)) return 'broken';
  // Before the end of the head it is the field that is wrong, not the content.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return phase === 'head' ? 'upstream-malformed' : 'broken';
  if (code.startsWith('HPE_') || malformedCodes.has(code)) return 'upstream-malformed';
  if (code === 'UND_ERR_SOCKET') return message.startsWith('bad ') ? 'upstream-malformed' : 'broken';
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return 'bad-request';
  return resetCodes.has(code) ? 'broken' : 'internal';
}

/** What undici and `node:http` call an answer that is not HTTP; an assertion is undici's way for some of them. */
const malformedCodes: ReadonlySet<string> = new Set([
  'HTTPParserError',
  'UND_ERR_HEADERS_OVERFLOW',
  'ERR_ASSERTION',
  'ERR_HTTP_INVALID_STATUS_CODE',
]);

const resetCodes: ReadonlySet<string> = new Set([
  'UND_ERR_INFO',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);
