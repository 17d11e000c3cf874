import { WillisError, type ErrorCode } from '../base/errors.js';

/** A failure to connect as one of the error table. `whom` is the authority that was dialled. */
export function connectError(error: unknown, whom: string): WillisError {
  const cause = firstOf(error);
  if (cause instanceof WillisError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new WillisError(connectCode(code ?? ''), `connecting to ${whom} failed: ${code ?? message}`, { cause: error });
}

/** A failure of the TLS handshake as one of the error table. */
export function tlsError(error: unknown, whom: string): WillisError {
  if (error instanceof WillisError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const certificate = code !== undefined && (certificateCodes.has(code) || code.startsWith('CERT_'));
  const detail = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? message : (code ?? message);
  return new WillisError(certificate ? 'tls-certificate' : 'tls-failed', `TLS with ${whom} failed: ${detail}`, {
    cause: error,
  });
}

/** What several attempts at several addresses failed of is told by the first of them. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? firstOf(error.errors[0]) : error;
}

function connectCode(code: string): ErrorCode {
  if (code === 'ECONNREFUSED') return 'connect-refused';
  return code === 'ETIMEDOUT' || code === 'ERR_SOCKET_CONNECTION_TIMEOUT' ? 'connect-timeout' : 'connect-failed';
}

/** OpenSSL's verdicts on a certificate (X509_V_ERR_…), as node names them, that do not begin with `CERT_`. */
const certificateCodes: ReadonlySet<string> = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CRL_SIGNATURE_FAILURE',
  'CRL_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
]);
