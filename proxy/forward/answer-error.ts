import { WillisError, type ErrorCode } from '../base/errors.js';

/** A failure of `node:http` between the request and the head of its answer as one of the error table. */
export function answerError(error: unknown): WillisError {
  if (error instanceof WillisError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new WillisError(answerCode(code), message, { cause: error });
}

function answerCode(code: string): ErrorCode {
  // The parser's word for a connection that ended within the head.
  if (code === 'HPE_INVALID_EOF_STATE') return 'upstream-reset';
  if (code.startsWith('HPE_')) return 'upstream-malformed';
  if (code === 'ERR_UPSTREAM_UPGRADE_TIMEOUT') return 'upstream-timeout';
  return resetCodes.has(code) ? 'upstream-reset' : 'internal';
}

const resetCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);
