import { z } from 'zod';
import type { ListenAddress } from './network-name.js';
import type { OriginUri } from './origin-uri.js';
import { address, file, host, origin, prefix, range, refuse } from './value-types.js';

// What a node opens to clients: its listeners, and the sites of the reverse side.

/** A file pair of a TLS certificate chain and its private key, both PEM; absolute paths in a loaded configuration. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}
/** Where a listener binds, and with which certificates (the first is the default), or without TLS. */
export interface Listener {
  readonly address: ListenAddress;
  readonly tls: readonly CertificateFiles[] | null;
  /** Peers whose connections begin with a PROXY protocol header, which says who the client is. */
  readonly proxyProtocol: readonly string[];
}
/** What the reverse side serves under a host, or a host and path prefix. */
export interface Site {
  /** A host name in lower case, an address as in a URI, or `*` for any. */
  readonly host: string;
  readonly prefix: string;
  /** Of the origin server; or the URL of the namespace. */
  readonly origin: OriginUri;
  /** Whether it is a namespace, that is got from whoever holds it. */
  readonly isNamespace: boolean;
  /** Whose name the origin server sees in `Host`: that of the client's request, or its own. */
  readonly sendHost: 'client' | 'origin';
}

const certificate = z
  .strictObject({
    cert: file.describe('PEM file with the certificate chain, the leaf first'),
    key: file.describe('PEM file with its private key'),
  })
  .meta({ id: 'certificate', description: "a map of 'cert' and 'key'" });

const listenerMap = z
  .strictObject({
    address: address.describe('Where to listen'),
    tls: z
      .union([certificate, z.array(certificate).min(1)])
      .optional()
      .describe('Certificate and key; a list of such pairs is chosen from by SNI, the first being the default'),
    proxyProtocol: z
      .array(range)
      .prefault([])
      .describe('Peers whose connections begin with a PROXY protocol header (version 1 or 2)'),
  })
  .meta({ id: 'listener', description: "a map of 'address', 'tls' and 'proxyProtocol'" });

export const listener = z.codec(z.union([address, listenerMap, z.null()]), z.custom<Listener | null>(isObjectOrNull), {
  decode: (input) => {
    if (input === null || !('address' in input)) return input && { address: input, tls: null, proxyProtocol: [] };
    const { address: bound, tls, proxyProtocol } = input;
    return { address: bound, tls: tls === undefined ? null : Array.isArray(tls) ? tls : [tls], proxyProtocol };
  },
  encode: (value) => {
    if (value === null) return null;
    const { address: bound, tls, proxyProtocol } = value;
    if (tls === null && proxyProtocol.length === 0) return bound;
    const pairs = tls?.map((pair) => ({ ...pair }));
    return { address: bound, ...(pairs && { tls: pairs }), proxyProtocol: [...proxyProtocol] };
  },
});

function isObjectOrNull(value: unknown): boolean {
  return typeof value === 'object';
}

export const site = z.codec(
  z.strictObject({
    host: host.describe("The host name that clients ask for, or '*' for any"),
    prefix: prefix.prefault('/').describe('Serve only what lies under this path; the longest matching prefix counts'),
    origin: origin.optional().describe('Where it comes from; takes the place of the prefix'),
    namespace: origin
      .optional()
      .describe('In place of origin: a namespace, got from whoever holds it; takes the place of the prefix'),
    sendHost: z
      .enum(['client', 'origin'])
      .optional()
      .describe(
        "Host sent to the origin server: the client's, or the origin's own; by default 'client' for the prefix '/', otherwise 'origin'",
      ),
  }),
  z.custom<Site>((value) => typeof value === 'object' && value !== null),
  {
    decode: ({ host: name, prefix: begin, origin: server, namespace, sendHost }, context) => {
      const source = namespace ?? server;
      if (source === undefined || (namespace !== undefined && server !== undefined)) {
        return refuse(context, { origin: server, namespace }, "either 'origin' or 'namespace'");
      }
      const isNamespace = namespace !== undefined;
      const ofClient = begin === '/' && !isNamespace;
      return {
        ...{ host: name.toLowerCase(), prefix: begin, origin: source, isNamespace },
        sendHost: sendHost ?? (ofClient ? 'client' : 'origin'),
      };
    },
    encode: ({ isNamespace, origin: source, ...value }) => ({
      ...value,
      ...(isNamespace ? { namespace: source } : { origin: source }),
    }),
  },
);
