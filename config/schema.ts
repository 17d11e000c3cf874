import { z } from 'zod';
import type { SchemaNode } from './json-schema.js';
import { clientSide, place, wlis } from './finding-keys.js';
import { publishedNamespace, replicatedNamespace } from './namespace-keys.js';
import type { Issue } from './problem.js';
import { listener, site, type Listener, type Site } from './side-keys.js';
import {
  atLeast,
  destination,
  directory,
  duration,
  file,
  host,
  hostPattern,
  method,
  nodeName,
  nodeUri,
  parameter,
  pathPattern,
  proxyUri,
  range,
  realm,
  size,
  timeout,
  uriPattern,
  userName,
} from './value-types.js';

/** As checked by the schema, node name not yet filled in. */
export type CheckedConfig = DeepReadonly<z.output<typeof schema>>;
/** The configuration of a node: complete, checked and frozen. */
export type Config = Omit<CheckedConfig, 'node'> & {
  readonly node: Omit<CheckedConfig['node'], 'name'> & { readonly name: string };
};
/** Who may do what; conditions that are empty hold for all. */
export type AccessRule = Config['access']['rules'][number];
/** How responses under some URIs are stored. */
export type CacheRule = Config['cache']['rules'][number];
/** A namespace of which a node is the primary, or a replica. */
export type PublishedNamespace = Config['primary']['namespaces'][number];
export type ReplicatedNamespaceKeys = Config['replicated']['namespaces'][number];
export type AccessLogSettings = Config['log']['access'];
export type LogLevel = Config['log']['level'];

type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [K in keyof T]: DeepReadonly<T[K]> };

const count = (most: number) => z.int().min(1).max(most);

const accessRule = z.strictObject({
  action: z.enum(['allow', 'deny']).describe('What becomes of a request for which all conditions hold'),
  sides: z
    .array(z.enum(['proxy', 'site']))
    .prefault(['proxy'])
    .describe('Listeners that the rule is for'),
  clients: z.array(range).prefault([]).describe('Addresses of clients; empty for any'),
  users: z
    .array(userName)
    .prefault([])
    .describe("Users who have proved who they are; '*' for any of them; empty for everybody"),
  methods: z
    .array(method)
    .prefault([])
    .describe('Methods; empty for any. PURGE is performed here if a rule that allows it names it'),
  hosts: z.array(hostPattern).prefault([]).describe('Hosts as requests name them; empty for any'),
  ports: z.array(count(65535)).prefault([]).describe('Ports; empty for any'),
  paths: z
    .array(pathPattern)
    .prefault([])
    .describe(
      'Paths, in every way that servers may read them; empty for any. A tunnel has none, so that no rule with paths holds for it',
    ),
});

const parentProxy = z
  .strictObject({
    url: proxyUri.describe('Where it is'),
    user: userName.nullable().prefault(null).describe('User to be there; null for none'),
    passwordFile: file.nullable().prefault(null).describe('File with the password of that user'),
  })
  .meta({ id: 'parent', description: "a map of 'url', 'user' and 'passwordFile'" });

const cacheRule = z.strictObject({
  match: uriPattern.describe('Target URIs that the rule is for, without their query'),
  store: z.boolean().prefault(true).describe('Whether anything is stored'),
  lifetime: duration
    .nullable()
    .prefault(null)
    .describe('Freshness lifetime of responses that name none, in place of the heuristic; null to keep the heuristic'),
  pin: z.boolean().prefault(false).describe('Whether what is stored stays, whatever else is to be stored'),
  maxBytes: atLeast('4KiB')
    .nullable()
    .prefault(null)
    .describe('What the responses of the rule may take together; null for as much as there is'),
});

/** The one table of what an operator may say: key, type, default and meaning. */
const schema = z.strictObject({
  roles: z
    .array(z.enum(['clientSide', 'wlis']))
    .prefault(['clientSide'])
    .describe(
      'Parts this node plays besides the reverse side; clientSide opens the forward proxy, wlis makes it a directory of namespaces, and lets others search those it holds',
    ),
  node: z
    .strictObject({
      name: nodeName
        .nullable()
        .prefault(null)
        .describe('Name of this node in Via and Cache-Status; null for the host name'),
      data: directory
        .prefault('./var')
        .describe('Directory for what has to outlive the process; made when it is first needed'),
      url: nodeUri
        .nullable()
        .prefault(null)
        .describe('How other nodes reach the public side of this one; null if they cannot'),
      mirrorDomain: host
        .nullable()
        .prefault(null)
        .describe(
          'Domain all of whose names lead to the public side of this node; below it each namespace that is replicated here has a name of its own for browsers. Null for none',
        ),
      geo: place.prefault({}).describe('Where it is'),
      capacity: count(1_000_000).prefault(1).describe('How much it can take beside the others of a group'),
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
      clients: z.array(range).prefault(['127.0.0.0/8', '::1/128']).describe('Who may use the forward proxy'),
      authentication: z
        .strictObject({
          usersFile: file
            .nullable()
            .prefault(null)
            .describe("Users and their secrets, as 'willis user' writes them; null to ask nobody who they are"),
          realm: realm.prefault('Willis').describe('What a person who is asked for a password is told it is for'),
        })
        .prefault({}),
      rules: z
        .array(accessRule)
        .prefault([])
        .describe(
          'Who may do what; the first rule that holds decides. Where none does, the request is allowed; if there are users, to them',
        ),
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
      operator: z
        .strictObject({
          tokenFile: file
            .nullable()
            .prefault(null)
            .describe('File with the bearer token for the operator side; null to admit this machine only'),
          hosts: z
            .array(host)
            .prefault([])
            .describe('Names by which the operator side may be called, besides localhost and addresses'),
        })
        .prefault({}),
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
      bodyRate: size
        .prefault('100')
        .describe('Bytes a second that a body must make on average over bodyTimeout, in either direction; 0 for any'),
      connections: count(1_000_000).prefault(10_000).describe('Connections of clients to one listener'),
      perClientConnections: count(1_000_000).prefault(256).describe('Connections of one client to one listener'),
      perClientRate: count(1_000_000)
        .nullable()
        .prefault(null)
        .describe('Requests a second of one client, with as many at once; null for any number'),
      clientPrefix: z
        .strictObject({
          ipv4: z.int().min(8).max(32).prefault(32).describe('Leading bits of an IPv4 address that make one client'),
          ipv6: z.int().min(16).max(128).prefault(64).describe('Leading bits of an IPv6 address that make one client'),
        })
        .prefault({}),
      tunnels: count(1_000_000).prefault(4096).describe('Open tunnels and WebSockets of all clients'),
      drainTimeout: timeout.prefault('30s').describe('How long requests under way may take after SIGTERM'),
    })
    .prefault({}),
  sites: z.array(site).prefault([]).describe('What the reverse side serves'),
  upstream: z
    .strictObject({
      proxy: parentProxy
        .nullable()
        .prefault(null)
        .describe('Parent proxy through which everything is fetched; null to go directly'),
      noProxy: z
        .array(destination)
        .prefault(['private'])
        .describe('What is fetched directly all the same, judged by the name or address in the URL'),
      ca: z.array(file).prefault([]).describe('PEM files with authorities to trust besides those of the system'),
      connectTimeout: timeout.prefault('5s').describe('For a connection to an origin server to be made, TLS included'),
      firstByteTimeout: timeout.prefault('60s').describe('From the end of a request to the first byte of the answer'),
      bodyTimeout: timeout.prefault('60s').describe('How long the body of an answer may make no progress'),
      connections: count(65535).prefault(512).describe('Connections to one origin server'),
      origins: count(100_000).prefault(1024).describe('Origin servers with open connections at a time'),
      keepAlive: timeout.prefault('30s').describe('How long an idle connection to an origin server is kept open'),
    })
    .prefault({}),
  cache: z
    .strictObject({
      memory: size
        .prefault('256MiB')
        .describe('Memory for stored responses, keys and fields counted; 0 to store nothing'),
      disk: atLeast('16MiB')
        .nullable()
        .prefault(null)
        .describe('Disk for stored responses, in node.data; null to store in memory only'),
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
      rules: z.array(cacheRule).prefault([]).describe('What holds under some URIs; the first rule that matches counts'),
    })
    .prefault({}),
  documents: z
    .strictObject({
      memory: size.prefault('64MiB').describe('Memory for contents that are published or replicated here'),
      disk: atLeast('1MiB').prefault('64GiB').describe('Disk for them, in node.data'),
    })
    .prefault({}),
  primary: z
    .strictObject({
      namespaces: z.array(publishedNamespace).prefault([]).describe('Namespaces that are published from directories'),
    })
    .prefault({}),
  replicated: z
    .strictObject({
      namespaces: z.array(replicatedNamespace).prefault([]).describe('Namespaces of which this node is a replica'),
    })
    .prefault({}),
  wlis: wlis.prefault({}),
  clientSide: clientSide.prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .prefault('info')
        .describe('Events from this level on go to standard error'),
      redact: z
        .array(parameter)
        .prefault(['*token*', '*secret*', '*password*', '*key', 'sig', '*signature*', 'code'])
        .describe('Query parameters whose values no log shows, in whatever case'),
      access: z
        .strictObject({
          format: z
            .enum(['combined', 'common', 'json', 'off'])
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
export const jsonSchema = (): SchemaNode =>
  JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' })), (_, node: unknown) =>
    withBranches(node),
  ) as SchemaNode;

/** `type: [boolean, null]` as two branches, as all other alternatives are written. */
function withBranches(node: unknown): unknown {
  if (typeof node !== 'object' || node === null || !('type' in node) || !Array.isArray(node.type)) return node;
  const { type, ...rest } = node;
  return { ...rest, anyOf: type.map((one: unknown) => ({ type: one })) };
}
