import type { ProxyUri } from '../../config/origin-uri.js';
import { WillisError, type ErrorCode } from '../base/errors.js';

/** A user of the parent proxy and his password. */
export interface ParentCredentials {
  readonly user: string;
  readonly password: string;
}

/** The proxy through which this node reaches everything else. Nothing that prints it shows its credentials. */
export class ParentProxy {
  /** As messages call it. */
  readonly name: string;
  readonly #credentials: readonly string[];

  constructor(
    readonly uri: ProxyUri,
    credentials: ParentCredentials | null,
  ) {
    this.name = `the parent proxy ${uri.scheme}://${uri.authority}`;
    this.#credentials = credentials === null ? [] : ['Proxy-Authorization', basic(credentials)];
  }

  /** The field line with which this node proves who it is, name and value, if it has one: for the parent's eyes only. */
  get credentials(): readonly string[] {
    return this.#credentials;
  }

  /** An answer of 407: that this node is not let through is for its operator to mend, and no business of clients. */
  unauthorised(): WillisError {
    const detail =
      this.#credentials.length === 0 ? 'asks for a user and a password' : 'refuses the user and the password';
    return new WillisError('parent-authentication', `${this.name} ${detail}: see upstream.proxy`);
  }

  /** A failure on a connection to the parent proxy, told from those on one to an origin server. */
  failure(error: unknown): unknown {
    if (!(error instanceof WillisError)) return error;
    if (error.kind.fault !== 'upstream' || error.code.startsWith('parent-')) return error;
    return new WillisError(ownCodes[error.code] ?? error.code, `${this.name}: ${error.message}`, { cause: error });
  }
}

/** Basic authentication (RFC 7617), in UTF-8. */
const basic = ({ user, password }: ParentCredentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

const ownCodes: Partial<Record<ErrorCode, ErrorCode>> = {
  'dns-failed': 'parent-unreachable',
  'dns-timeout': 'parent-timeout',
  'connect-refused': 'parent-unreachable',
  'connect-failed': 'parent-unreachable',
  'connect-timeout': 'parent-timeout',
  'tls-certificate': 'parent-unreachable',
  'tls-failed': 'parent-unreachable',
};
