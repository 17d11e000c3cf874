import { z } from 'zod';
import { isHostName } from './network-name.js';
import {
  address,
  file,
  hostPattern,
  keyId,
  namespaceUri,
  nodeUri,
  origin,
  percentile,
  range,
  share,
  size,
  timeout,
  uriPattern,
} from './value-types.js';

// The part of the table that is about finding namespaces and choosing among those who hold them.

const count = (most: number) => z.int().min(1).max(most);

export const place = z.strictObject({
  lat: z.number().min(-90).max(90).nullable().prefault(null).describe('Degrees north; null where it is not said'),
  lon: z.number().min(-180).max(180).nullable().prefault(null).describe('Degrees east; with lat'),
  area: z
    .string()
    .regex(/^[a-z]{2}$/)
    .nullable()
    .prefault(null)
    .describe('Country, two letters in lower case (ISO 3166-1); null where it is not said'),
});

const trustedRoot = z.strictObject({
  origin: nodeUri.describe('Scheme, host and port of the namespaces'),
  key: keyId.describe('Name of the root key, as its owner tells it'),
});

/** A label of a host name, or several: what stands before `.wlis`; with `*.` before it for all names below that. */
const logicalName = z
  .string()
  .refine((name) => name === name.toLowerCase() && isHostName(`${name.startsWith('*.') ? name.slice(2) : name}.wlis`));

export const wlis = z.strictObject({
  peers: z
    .array(nodeUri)
    .prefault([])
    .describe('Nodes that are asked where a namespace is, and with which directories exchange what they know'),
  exchangeEvery: timeout.prefault('30s').describe('How often each of them is asked for what it has learned'),
  namespaces: count(1_000_000).prefault(10_000).describe('Namespaces that are remembered; the longest unused go first'),
  privateAddresses: z
    .array(range)
    .prefault([])
    .describe('Private addresses at which nodes of public namespaces may be; others are not called there'),
  search: z
    .strictObject({
      memory: size
        .prefault('64MiB')
        .describe('What the index of the pages of held namespaces may take, with the role wlis; 0 to have none'),
    })
    .prefault({}),
  names: z
    .record(logicalName, namespaceUri)
    .prefault({})
    .describe("Names for namespaces at this node: 'manual' for http://manual.wlis/; '*.docs' for all below it"),
  trust: z
    .strictObject({
      roots: z.array(trustedRoot).prefault([]).describe('Root keys that are known'),
      firstUse: z
        .boolean()
        .prefault(false)
        .describe('Whether an unknown root key may be learned over plain HTTP, where anybody on the way could lie'),
      names: z.array(keyId).prefault([]).describe('Keys whose owners may give names to namespaces'),
    })
    .prefault({}),
});

const mirror = z.strictObject({
  of: origin.describe('What is mirrored'),
  at: z.array(origin).prefault([]).describe('Where it is mirrored'),
  list: file
    .nullable()
    .prefault(null)
    .describe('File that names more of them: a metalink (RFC 5854), or one URL in each line; null for none'),
  trust: z
    .enum(['compared', 'full'])
    .prefault('compared')
    .describe(
      'Whether a mirror answers only for what is known to be equal to the original by digest or validators, or for everything',
    ),
});

const choiceRule = z.strictObject({
  match: uriPattern.describe('Target URIs that the rule is for, without their query'),
  from: z
    .union([nodeUri, z.literal('primary')])
    .describe('Where they are got: from that node alone, or from the primary'),
});

const hedge = z.strictObject({
  enabled: z.boolean().prefault(false).describe('Whether a request that is slow to be answered is also sent elsewhere'),
  after: percentile.prefault('p95').describe('When: after as long as this share of those before took at that node'),
  budget: share.prefault('2%').describe('Most requests that may be sent twice'),
});

/** What becomes of pages on their way to a browser. */
const pageKeys = {
  alternates: 'Whether pages name, in their head, where the same bytes can be had as well',
  bar: 'Whether pages begin with a bar that tells where they come from and how fresh they are, and offers other servers',
  links:
    'Whether links that lead nowhere as they stand, such as those with names that only Willis knows, are made to work',
};

const pageRule = z.strictObject({
  match: uriPattern.describe('Pages that the rule is for, by their URIs without the query'),
  alternates: z.boolean().nullable().prefault(null).describe('The same for these; null for what holds for all'),
  bar: z.boolean().nullable().prefault(null).describe('The same for these; null for what holds for all'),
  links: z.boolean().nullable().prefault(null).describe('The same for these; null for what holds for all'),
});

const pageSettings = {
  alternates: z.boolean().prefault(true).describe(pageKeys.alternates),
  links: z.boolean().prefault(true).describe(pageKeys.links),
};

/** For readers of this proxy. */
const proxyPages = z.strictObject({
  ...pageSettings,
  bar: z.boolean().prefault(false).describe(pageKeys.bar),
  rules: z.array(pageRule).prefault([]).describe('What holds for certain pages; the first rule that matches counts'),
});

/** For visitors of a replica, who come to it by its own name. */
export const mirrorPages = z.strictObject({
  ...pageSettings,
  bar: z.boolean().prefault(true).describe(pageKeys.bar),
});

export const clientSide = z.strictObject({
  choice: z
    .union([z.enum(['nearest', 'random', 'weighted', 'sticky']), file])
    .prefault('nearest')
    .describe('How one of several replicas is chosen; or a module of your own, such as ./my-choice.js'),
  attempts: count(16).prefault(3).describe('Most nodes that are tried for one request before the primary'),
  patience: timeout
    .prefault('5s')
    .describe('How long a node may be silent, or make hardly any progress, before another one goes on'),
  hedge: hedge.prefault({}),
  rules: z
    .array(choiceRule)
    .prefault([])
    .describe('What is got from a certain node; the first rule that matches counts'),
  mirrors: z.array(mirror).prefault([]).describe('Mirrors that are ordinary servers, and know nothing of each other'),
  html: proxyPages.prefault({}),
  httpsAsHttp: z
    .enum(['never', 'loopback', 'always'])
    .prefault('loopback')
    .describe(
      'Who may read namespaces of https as http://host/…, with TLS behind this proxy: nobody, this machine, or all clients',
    ),
  pac: z
    .strictObject({
      proxies: z
        .array(z.union([z.literal('self'), address]))
        .min(1)
        .prefault(['self'])
        .describe("Proxies that /proxy.pac names, in this order; 'self' is the one that is asked"),
      direct: z
        .enum(['never', 'fallback', 'always'])
        .prefault('fallback')
        .describe('Whether browsers may do without a proxy: never, if none of them answers, or except for namespaces'),
      exceptions: z.array(hostPattern).prefault([]).describe('Hosts that are reached without a proxy'),
      namespaces: z
        .enum(['viaProxy', 'viaReplicas'])
        .prefault('viaProxy')
        .describe('Whether what a known namespace has is fetched by these proxies, or by its replicas as proxies'),
    })
    .prefault({}),
});
