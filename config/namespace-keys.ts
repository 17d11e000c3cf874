import { z } from 'zod';
import { mirrorPages } from './finding-keys.js';
import {
  cronExpression,
  directory,
  extension,
  fieldName,
  fieldValue,
  file,
  fileInside,
  fileName,
  insidePattern,
  keyId,
  mediaType,
  namespaceUri,
  nodeUri,
  rate,
  reference,
  size,
  timeout,
  timezone,
} from './value-types.js';

// The part of the table that is about namespaces: of which this node is the primary, and which it replicates.

const count = (most: number) => z.int().min(1).max(most);

const headerRule = z.strictObject({
  match: insidePattern.describe('Files that the rule is for, by their paths below the directory'),
  set: z.record(fieldName, fieldValue).describe('Fields and their values; the later rule for a field counts'),
});

const redirectRule = z.strictObject({
  from: fileInside.describe('Document that only leads elsewhere'),
  to: reference.describe('Where to; relative to the document'),
  status: z
    .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)])
    .prefault(301)
    .describe('Status of the answer'),
});

export const publishedNamespace = z.strictObject({
  url: namespaceUri.describe('The namespace: what visitors ask for begins with it'),
  directory: directory.describe('Directory with its files'),
  include: z.array(insidePattern).min(1).prefault(['**']).describe('Files that are published'),
  exclude: z.array(insidePattern).prefault([]).describe('Files that are not, though included'),
  dotfiles: z.array(insidePattern).prefault([]).describe('Where names may begin with a dot; nowhere by default'),
  indexPages: z
    .array(fileName)
    .prefault(['index.html'])
    .describe('Files that stand for their directory, the preferred one first'),
  cleanUrls: z.boolean().prefault(false).describe("Whether 'about.html' is published as 'about'"),
  types: z.record(extension, mediaType).prefault({}).describe('Media types by extension, before those that are known'),
  headers: z.array(headerRule).prefault([]).describe('Fields that documents have'),
  redirects: z.array(redirectRule).prefault([]).describe('Documents that lead elsewhere'),
  query: z
    .enum(['ignore', 'exact'])
    .prefault('ignore')
    .describe('A query that no document has: dropped, or part of the URI, so that there is no such document'),
  search: z
    .boolean()
    .prefault(false)
    .describe('Whether those who hold it may let others search the texts of its pages'),
  scanEvery: timeout
    .prefault('5m')
    .describe('How often all files are looked at, besides what the system tells of them'),
  replicas: z
    .strictObject({
      accept: z
        .enum(['listed', 'open'])
        .prefault('listed')
        .describe('Who may replicate: those listed or with the token; or anybody, for clients that verify'),
      listed: z.array(keyId).prefault([]).describe('Keys of nodes that may replicate'),
      tokenFile: file.nullable().prefault(null).describe('File with a token; who has it is listed. Null for none'),
      browsers: z
        .union([z.literal('all'), z.array(keyId)])
        .prefault([])
        .describe('Listed nodes, by their keys, or all, to which clients may be sent that do not verify what they get'),
      delegates: z
        .array(keyId)
        .prefault([])
        .describe(
          'Keys of listed nodes that may stand behind the name of the site: they see credentials, and are trusted like the primary',
        ),
      fanOut: count(256).prefault(8).describe('Replicas that are told by one node; more of them form a tree'),
    })
    .prefault({}),
});

const updateWindow = z
  .strictObject({
    cron: cronExpression.describe('When contents begin to be pulled'),
    timezone: timezone.prefault('UTC').describe('Time zone of these times'),
    for: timeout.prefault('6h').describe('How long they may be pulled from then on'),
  })
  .meta({ id: 'window', description: "a map of 'cron', 'timezone' and 'for'" });

export const replicatedNamespace = z.strictObject({
  url: namespaceUri.describe('The namespace'),
  from: nodeUri.describe('Its primary, or another node that knows it'),
  tokenFile: file.nullable().prefault(null).describe('File with the token of the primary; null for none'),
  include: z.array(insidePattern).min(1).prefault(['**']).describe('Documents whose content is held here'),
  exclude: z.array(insidePattern).prefault([]).describe('Documents whose content is not, though included'),
  maxBytes: size.nullable().prefault(null).describe('Longest content that is held here; null for any'),
  onChange: z
    .enum(['pull', 'pullIfHeld', 'markStale'])
    .prefault('pull')
    .describe(
      'What is done about changed contents: they are pulled at once; if an older one is held; or when somebody asks for them',
    ),
  onDelete: z
    .enum(['delete', 'keep'])
    .prefault('delete')
    .describe('Whether contents that were removed are deleted here; they are not served in either case'),
  bandwidth: rate.nullable().prefault(null).describe('Most that is pulled in a second; null for any'),
  update: z
    .union([z.literal('immediately'), updateWindow])
    .prefault('immediately')
    .describe('When contents are pulled. What there is, and in which version, is known at once in any case'),
  patience: timeout
    .prefault('15s')
    .describe('How long a node may be silent, or make hardly any progress, before another one is asked'),
  pollEvery: timeout.prefault('30s').describe('How often to ask for news that nobody told of'),
  html: mirrorPages.prefault({}),
});
