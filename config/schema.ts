import { z } from 'zod';
import { formatByteSize, parseByteSize } from './byte-size.js';
import { formatDuration, parseDuration } from './duration.js';
import type { SchemaNode } from './json-schema.js';
import {
  formatListenAddress,
  isAddressRange,
  isDestination,
  isUriHost,
  parseListenAddress,
  type ListenAddress,
} from './network-name.js';
import { formatOriginUri, parseOriginUri, type OriginUri } from './origin-uri.js';
import { prefixFault } from './path-prefix.js';
import type { Issue } from './problem.js';
import { milliseconds, type Bytes, type Milliseconds } from './units.js';

/** A file pair of a TLS certificate chain and its private key, both PEM; absolute paths in a loaded configuration. */
export type CertificateFiles = DeepReadonly<z.output<typeof certificate>>;
/** Where a listener binds, and with which certificates (the first is the default), or without TLS. */
export interface Listener {
  readonly address: ListenAddress;
  readonly tls: readonly CertificateFiles[] | null;
}
/** What the reverse side serves under a host, or a host and path prefix. */
export interface Site {
  /** A host name in lower case, an address as in a URI, or `*` for any. */
  readonly host: string;
  readonly prefix: string;
  readonly origin: OriginUri;
  /** Whose name the origin server sees in `Host`: that of the client's request, or its own. */
  readonly sendHost: 'client' | 'origin';
}
/** As checked by the schema, node name not yet filled in. */
export type CheckedConfig = DeepReadonly<z.output<typeof schema>>;
/** The configuration of a node: complete, checked and frozen. */
export type Config = Omit<CheckedConfig, 'node'> & { readonly node: { readonly name: string } };
export type AccessLogSettings = Config['log']['access'];
export type LogLevel = Config['log']['level'];

type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [K in keyof T]: DeepReadonly<T[K]> };

/** A text with a value behind it. `word` names the type in the documentation, `example` says how it looks. */
function text<T>(
  word: string,
  example: string,
  read: (text: string) => T | null,
  is: (value: unknown) => boolean,
  write: (value: T) => string,
) {
  return z
    .codec(z.string(), z.custom<T>(is), {
      decode: (input, context) => read(input) ?? refuse(context, input),
      encode: (value) => write(value),
    })
    .meta({ id: word, description: example });
}

function refuse(context: { issues: unknown[] }, input: unknown, expected?: string): never {
  context.issues.push({ code: 'custom', input, params: { expected } });
  return z.NEVER;
}

const plainText = (word: string, example: string, is: (text: string) => boolean) =>
  z.string().refine(is).meta({ id: word, description: example });

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isAddress = (value: unknown): boolean => typeof value === 'object' && value !== null && 'port' in value;

const longestTimer = milliseconds(24 * 86_400_000);
const readTimeout = (input: string): Milliseconds | null => {
  const value = parseDuration(input);
  return value !== null && value > 0 && value <= longestTimer ? value : null;
};
const timeout = text(
  'timeout',
  'a duration from 1ms to 24d, such as 500ms, 90s or 5m',
  readTimeout,
  isNumber,
  formatDuration,
);
const duration = text(
  'duration',
  'a duration such as 0s, 250ms, 90s, 5m or 1d',
  parseDuration,
  isNumber,
  formatDuration,
);
const size = z
  .codec(z.union([z.string(), z.int().min(0)]), z.custom<Bytes>(isNumber), {
    decode: (input, context) => parseByteSize(String(input)) ?? refuse(context, input),
    encode: formatByteSize,
  })
  .meta({ id: 'size', description: 'a size such as 1500 (bytes), 32KiB, 64MiB or 10GiB' });
const atLeast = (least: string) =>
  size.superRefine((value, context) => {
    const bound = parseByteSize(least);
    if (bound !== null && value < bound) refuse(context, formatByteSize(value), `a size of at least ${least}`);
  });

const range = plainText('range', 'an IP address or a CIDR range such as 10.0.0.0/8', isAddressRange);
const destination = plainText(
  'destination',
  "an IP address, a CIDR range, a host name, '*.example.org' or 'private'",
  isDestination,
);
const file = plainText('file', 'the path of a file', (path) => path !== '' && !path.includes('\0'));
const nodeName = plainText('name', 'a name without spaces, such as cache-1.example.org', (name) =>
  /^[\x21-\x7e]{1,255}$/.test(name),
);
const host = plainText(
  'host',
  "a host name or IP address without a port, or '*' for any",
  (name) => name === '*' || isUriHost(name),
);
const address = text(
  'address',
  "'host:port', such as 127.0.0.1:3128, [::1]:3128 or *:80",
  parseListenAddress,
  isAddress,
  formatListenAddress,
);
const prefix = z
  .string()
  .superRefine((path, context) => {
    const expected = prefixFault(path);
    if (expected !== null) refuse(context, path, expected);
  })
  .meta({ id: 'prefix', description: "a path that starts and ends with '/'" });
const origin = z
  .codec(z.string(), z.custom<OriginUri>(isAddress), {
    decode: (input, context) => {
      const uri = parseOriginUri(input);
      return typeof uri === 'string' ? refuse(context, input, uri) : uri;
    },
    encode: formatOriginUri,
  })
  .meta({ id: 'origin', description: "an http or https URL whose path ends in '/'" });

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
  })
  .meta({ id: 'listener', description: "a map of 'address' and 'tls'" });

const listener = z.codec(z.union([address, listenerMap, z.null()]), z.custom<Listener | null>(isObjectOrNull), {
  decode: (input) => {
    if (input === null || !('address' in input)) return input && { address: input, tls: null };
    const { address: bound, tls } = input;
    return { address: bound, tls: tls === undefined ? null : Array.isArray(tls) ? tls : [tls] };
  },
  encode: (value) => {
    if (value?.tls == null) return value && value.address;
    return { address: value.address, tls: value.tls.map((pair) => ({ ...pair })) };
  },
});

function isObjectOrNull(value: unknown): boolean {
  return typeof value === 'object';
}

const site = z.codec(
  z.strictObject({
    host: host.describe("The host name that clients ask for, or '*' for any"),
    prefix: prefix.prefault('/').describe('Serve only what lies under this path; the longest matching prefix counts'),
    origin: origin.describe('Where it comes from; takes the place of the prefix'),
    sendHost: z
      .enum(['client', 'origin'])
      .optional()
      .describe(
        "Host sent to the origin server: the client's, or the origin's own; by default 'client' for the prefix '/', otherwise 'origin'",
      ),
  }),
  z.custom<Site>((value) => typeof value === 'object' && value !== null),
  {
    decode: (input) => ({
      ...input,
      host: input.host.toLowerCase(),
      sendHost: input.sendHost ?? (input.prefix === '/' ? 'client' : 'origin'),
    }),
    encode: (value) => ({ ...value }),
  },
);

const count = (most: number) => z.int().min(1).max(most);

/** The one table of what an operator may say: key, type, default and meaning. */
const schema = z.strictObject({
  roles: z
    .array(z.enum(['clientSide']))
    .prefault(['clientSide'])
    .describe('Parts this node plays besides the reverse side; clientSide opens the forward proxy'),
  node: z
    .strictObject({
      name: nodeName
        .nullable()
        .prefault(null)
        .describe('Name of this node in Via and Cache-Status; null for the host name'),
    })
    .prefault({}),
  listen: z
    .strictObject({
      proxy: listener
        .prefault('127.0.0.1:3128')
        .describe('Forward proxy; opened with the role clientSide; null to leave it closed'),
      site: listener.prefault('127.0.0.1:8080').describe('Public (reverse) side, which serves the sites'),
      admin: listener.prefault('127.0.0.1:3180').describe('Operator side'),
    })
    .prefault({}),
  access: z
    .strictObject({
      clients: z
        .array(range)
        .prefault(['127.0.0.0/8', '::1/128'])
        .describe('Who may use the forward proxy and the operator side'),
      connectPorts: z.array(count(65535)).prefault([443]).describe('Ports to which CONNECT may open a tunnel'),
      destinations: z
        .strictObject({
          allow: z
            .array(destination)
            .prefault([])
            .describe('Destinations of the forward proxy that are allowed although denied below'),
          deny: z
            .array(destination)
            .prefault(['private'])
            .describe(
              'Destinations that are refused, judged by the resolved address; private stands for all private, loopback, link-local and metadata ranges',
            ),
        })
        .prefault({}),
      trustedProxies: z
        .array(range)
        .prefault([])
        .describe('Peers whose Forwarded and X-Forwarded-* fields are believed'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      headerBytes: atLeast('1KiB').prefault('32KiB').describe('All header fields of a request together'),
      headers: count(100_000).prefault(200).describe('Number of header fields of a request'),
      uri: atLeast('256').prefault('16KiB').describe('Length of a request target'),
      headerTimeout: timeout.prefault('15s').describe('From the first byte of a request to the end of its header'),
      idleTimeout: timeout.prefault('75s').describe('How long an idle connection of a client is kept open'),
      bodyTimeout: timeout.prefault('60s').describe('How long a body may make no progress, in either direction'),
      drainTimeout: timeout.prefault('30s').describe('How long requests under way may take after SIGTERM'),
    })
    .prefault({}),
  sites: z.array(site).prefault([]).describe('What the reverse side serves'),
  upstream: z
    .strictObject({
      ca: z.array(file).prefault([]).describe('PEM files with authorities to trust besides those of the system'),
      connectTimeout: timeout.prefault('5s').describe('For a connection to an origin server to be made, TLS included'),
      firstByteTimeout: timeout.prefault('60s').describe('From the end of a request to the first byte of the answer'),
      bodyTimeout: timeout.prefault('60s').describe('How long the body of an answer may make no progress'),
      connections: count(65535).prefault(64).describe('Connections to one origin server'),
      keepAlive: timeout.prefault('30s').describe('How long an idle connection to an origin server is kept open'),
    })
    .prefault({}),
  cache: z
    .strictObject({
      memory: size
        .prefault('256MiB')
        .describe('Memory for stored responses, keys and fields counted; 0 to store nothing'),
      maxDocument: size.prefault('64MiB').describe('Larger bodies pass through and are not stored'),
      heuristicFraction: z
        .number()
        .min(0)
        .max(1)
        .prefault(0.1)
        .describe('Share of the time since Last-Modified for which a response without explicit lifetime is fresh'),
      heuristicMax: duration.prefault('1d').describe('Upper bound of such a lifetime'),
      negative: duration
        .prefault('10s')
        .describe('Lifetime of definitive negative answers (404, 410, …) that name none'),
      variants: count(10_000).prefault(32).describe('Stored responses for one URI that differ by selecting fields'),
      collapseWait: duration.prefault('10s').describe('How long a request waits for the answer to another one like it'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .prefault('info')
        .describe('Events from this level on go to standard error'),
      access: z
        .strictObject({
          format: z
            .enum(['combined', 'json', 'off'])
            .prefault('combined')
            .describe('Form of the access log, one line a request'),
          path: file.nullable().prefault(null).describe('File to append it to; null for standard output'),
        })
        .prefault({}),
    })
    .prefault({}),
});

/** Checks a plain value against the table, defaults filled in. */
export function checkAgainstSchema(value: unknown): { config: CheckedConfig } | { issues: readonly Issue[] } {
  const result = schema.safeParse(value);
  return result.success ? { config: result.data } : { issues: result.error.issues };
}

/** One part of the table at a time: its value with defaults if it alone is right, otherwise undefined. */
export const part = {
  roles: (value: unknown): CheckedConfig['roles'] | undefined => schema.shape.roles.safeParse(value).data,
  listener: (key: keyof CheckedConfig['listen'], value: unknown): Listener | null | undefined =>
    schema.shape.listen.unwrap().shape[key].safeParse(value).data,
  site: (value: unknown): Site | undefined => site.safeParse(value).data,
} as const;

/** The configuration as an operator would write it, every key present. */
export const asWritten = (config: CheckedConfig): unknown => z.encode(schema, config as z.output<typeof schema>);

/** The table as a JSON Schema (2020-12) of what may be written. */
export const jsonSchema = (): SchemaNode => z.toJSONSchema(schema, { io: 'input' }) as SchemaNode;
