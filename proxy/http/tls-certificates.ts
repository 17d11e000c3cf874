import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

/** A certificate, chain included, and its private key, as PEM. */
export interface TlsCertificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** The certificates of one listener, chosen by the name that the client asks for (SNI, RFC 6066 §3). */
export class CertificateSet {
  /** The one for clients that ask for no name, or for one that nobody has. */
  readonly default: TlsCertificate;
  readonly #default: SecureContext;
  readonly #byName = new Map<string, SecureContext>();

  /** @throws Error if there is none, or one cannot be read or does not belong to its key */
  constructor(certificates: readonly TlsCertificate[]) {
    const [first] = certificates;
    if (first === undefined) throw new Error('no certificate given');
    this.default = first;
    const contexts = certificates.map(secureContext);
    this.#default = contexts[0] as SecureContext;
    contexts.forEach((context, i) => {
      for (const name of dnsNames((certificates[i] as TlsCertificate).cert)) {
        if (!this.#byName.has(name)) this.#byName.set(name, context);
      }
    });
  }

  /** The one for exactly that name, or for all names beside it (RFC 9525 §6.3), or the first of all. */
  choose(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    const dot = name.indexOf('.');
    const wildcard = dot < 0 ? undefined : this.#byName.get(`*${name.slice(dot)}`);
    return this.#byName.get(name) ?? wildcard ?? this.#default;
  }
}

function secureContext({ cert, key }: TlsCertificate): SecureContext {
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the private key does not belong to the certificate');
  }
  return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
}

/** Lower-case DNS names of the subjectAltName extension. */
function dnsNames(cert: string | Buffer): string[] {
  const names = new X509Certificate(cert).subjectAltName ?? '';
  return names
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());
}
