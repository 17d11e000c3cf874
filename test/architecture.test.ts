import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processUses, sideEffects, timeReadings } from './support/architecture/globals.js';
import {
  cycles,
  impurities,
  moduleUses,
  packageMismatches,
  sharedPackages,
  wrongDirections,
} from './support/architecture/imports.js';
import { barrels, deskWords, meaninglessNames, namedFiles } from './support/architecture/names.js';
import { filesUnder, readSources } from './support/architecture/source.js';
import { bareUnits } from './support/architecture/units.js';

const root = fileURLToPath(new URL('../', import.meta.url));

/** What the client in the browser shares with the server. */
const sharedWithClient = [
  ...['canonical-uri', 'canonical-host', 'canonical-path', 'not-canonical', 'namespace', 'namespace-table'].map(
    (name) => `wlis/${name}.ts`,
  ),
  ...filesUnder(root, 'wlis/trust'),
  'config/units.ts',
];

/** Pure files: rules that are functions of their arguments. A new one is entered here. */
const pureFiles = [
  ...sharedWithClient,
  ...['duration', 'byte-size', 'uri-pattern'].map((name) => `config/${name}.ts`),
  ...[
    ...['fields', 'http-date', 'entity-tag', 'preconditions', 'range', 'hop-by-hop', 'via', 'forwarded', 'methods'],
    ...['field-names', 'target-uri', 'host-name', 'ip-address', 'address-test', 'loose-ipv4', 'address-text'],
    ...['client-prefix', 'client-allowance', 'connection-counts', 'request-rate', 'body-rate', 'crc32c'],
    ...['proxy-header', 'proxy-protocol', 'proxy-protocol-v2', 'weight', 'error-offers', 'html-page'],
  ].map((name) => `proxy/http/${name}.ts`),
  ...[
    ...['access-rules', 'access-gate', 'path-readings', 'requested-host', 'users-file', 'edited-users'],
    ...['proxy-credentials', 'failed-attempts'],
  ].map((name) => `proxy/access/${name}.ts`),
  ...['histogram', 'labelled', 'metrics-text', 'redaction', 'status-label'].map((name) => `proxy/base/${name}.ts`),
  ...['destination-ranges', 'destination-rules', 'no-proxy'].map((name) => `proxy/forward/${name}.ts`),
  ...[
    ...['cache-control', 'freshness', 'storability', 'status-codes', 'reuse', 'vary', 'accept-normalisation'],
    ...['validation', 'freshen', 'invalidation', 'partial', 'cache-status', 'cache-groups', 'cache-key'],
    ...[
      'plan',
      'wanted',
      'plan-sentence',
      'next-step',
      'explanation',
      'purge',
      'retention',
      'pins-full',
      'offered-copy',
    ],
  ].map((name) => `proxy/cache/${name}.ts`),
  ...['signature-base', 'call-replays', 'requested-path', 'path-patterns'].map((name) => `wlis/${name}.ts`),
  ...['call-problem', 'malformed-call', 'raw-target'].map((name) => `wlis/calls/${name}.ts`),
  ...[
    ...['told-namespace', 'group-field', 'have-field', 'namespace-field', 'min-seq-field', 'load-field', 'told-load'],
    ...['link-field', 'group-links', 'metalink'],
  ].map((name) => `wlis/piggyback/${name}.ts`),
  ...['negotiation', 'preferences'].map((name) => `wlis/documents/${name}.ts`),
  ...[
    ...['document-version', 'said-digest', 'learned-original', 'sent-to-mirrors', 'mirror-set', 'ranked-places'],
    ...['listed-mirrors', 'mirror-list', 'metalink', 'xml-elements', 'unusable-places'],
  ].map((name) => `wlis/mirrors/${name}.ts`),
  ...[
    ...['by-score', 'choice', 'distance', 'expected-time', 'nearest', 'random', 'weighted', 'sticky', 'policies'],
    ...['choice-rules', 'subset-test', 'group-members', 'own-place', 'stream-hold', 'reader-choices'],
  ].map((name) => `wlis/choice/${name}.ts`),
  ...['breaker', 'hour-profile', 'observed-bandwidth', 'observed-latency', 'whose-fault'].map(
    (name) => `wlis/health/${name}.ts`,
  ),
  ...['logical-name', 'name-resolution', 'named-fields', 'tls-only-hosts', 'proxy-host'].map(
    (name) => `wlis/names/${name}.ts`,
  ),
  ...['pac-file', 'local-hosts'].map((name) => `wlis/pac/${name}.ts`),
  ...['bar', 'extract', 'mirror', 'splicing'].flatMap((room) => filesUnder(root, `wlis/html/${room}`)),
  ...['navigation', 'viewable', 'view-request', 'view-fields'].map((name) => `wlis/html/views/${name}.ts`),
  ...[
    ...['search-words', 'search-query', 'search-request', 'snippet', 'page-value', 'open-search', 'search-page'],
    'search-text',
  ].map((name) => `wlis/search/${name}.ts`),
  ...['indexable-document', 'indexed-pages'].map((name) => `replication/search/${name}.ts`),
  ...['change-list', 'replica-standing', 'blob-references'].map((name) => `replication/${name}.ts`),
  ...['document-blobs', 'head-timing', 'own-heads', 'primary-report', 'scan-record'].map(
    (name) => `replication/${name}.ts`,
  ),
  ...['list-position', 'list-sets', 'received-changes'].map((name) => `replication/calls/${name}.ts`),
  ...[
    ...['temporary-names', 'source-rules', 'uri-path', 'media-types', 'published-document'],
    ...['source-file', 'site-layout', 'settling', 'mass-removal', 'release-gates', 'look-schedule', 'source-tree'],
    ...['refusals', 'published-paths', 'document-edits', 'robots-txt', 'uri-shape', 'discovery-frontier'],
    ...['page-targets', 'discovery-state'],
  ].map((name) => `replication/source/${name}.ts`),
  ...[
    ...['subset-cover', 'placement', 'join-request', 'join-answer', 'stored-member', 'member-table', 'member-room'],
    ...['member-report', 'group-view', 'head-times', 'source-order', 'children', 'claimed-head', 'membership-standing'],
  ].map((name) => `replication/tree/${name}.ts`),
  ...['standing', 'for-primary', 'node-fields'].map((name) => `replication/serving/${name}.ts`),
  ...['bundle-format', 'token-bucket', 'retry-delay', 'block-plan', 'wanted-contents', 'source-trial'].map(
    (name) => `replication/pull/${name}.ts`,
  ),
];

interface PackageFile {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const packageFile = (): PackageFile => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile;

const isProcessPart = (path: string): boolean => path === 'proxy/main.ts' || path.startsWith('proxy/cli/');

describe('the architecture', () => {
  const directories = ['config', 'proxy', 'wlis', 'replication'];
  const sources = readSources(root, directories);
  const nothing: string[] = [];

  it('a room imports only from itself and from the rooms to its left', () => {
    assert.deepEqual(wrongDirections(sources), nothing);
  });

  it('files do not import each other in cycles', () => {
    assert.deepEqual(cycles(sources), nothing);
  });

  it('a package has one importing file; what reads HTML reads XML too; the table of the configuration is in five, its types apart', () => {
    assert.deepEqual(sharedPackages(sources), [
      'zod is imported by config/finding-keys.ts, config/namespace-keys.ts, config/schema.ts, config/side-keys.ts, config/value-types.ts',
      'htmlparser2 is imported by wlis/html/splicing/attribute-text.ts, wlis/mirrors/xml-elements.ts',
    ]);
  });

  it('what is imported is a dependency, and what is a dependency is imported', () => {
    assert.deepEqual(packageMismatches(sources, Object.keys(packageFile().dependencies)), nothing);
  });

  it('only proxy/base/clock reads the time', () => {
    const isClock = (path: string): boolean => path === 'proxy/base/clock.ts';
    assert.deepEqual(timeReadings(sources, isClock), nothing);
    assert.deepEqual(moduleUses(sources, 'perf_hooks', isClock), nothing);
  });

  it('only proxy/main and proxy/cli know of the process and the machine', () => {
    assert.deepEqual(processUses(sources, isProcessPart), nothing);
    assert.deepEqual(moduleUses(sources, 'process', isProcessPart), nothing);
    assert.deepEqual(moduleUses(sources, 'os', isProcessPart), nothing);
  });

  it('a file is named after its concept', () => {
    assert.deepEqual(meaninglessNames([...directories, 'test'].flatMap((name) => filesUnder(root, name))), nothing);
  });

  it('no file only passes on what others export', () => {
    assert.deepEqual(barrels(sources), nothing);
  });

  it('pure files exist and have nothing of the machine: no node: module, logger, clock, timer or chance', () => {
    const pure = sources.filter(({ path }) => pureFiles.includes(path));
    const missing = pureFiles.filter((path) => !pure.some((source) => source.path === path));
    assert.deepEqual({ missing }, { missing: nothing });
    assert.deepEqual(impurities(sources, pureFiles), nothing);
    assert.deepEqual(sideEffects(pure), nothing);
    assert.deepEqual(
      processUses(pure, () => false),
      nothing,
    );
  });

  it('what the client shares with the server imports nothing else of ours, and has nothing that only Node.js has', () => {
    const shared = sources.filter(({ path }) => sharedWithClient.includes(path));
    const foreign = shared.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== null && !sharedWithClient.includes(file))
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
    assert.deepEqual(foreign, nothing);
    assert.deepEqual(
      shared.filter(({ text }) => /\b(?:Buffer|setImmediate|globalThis|global)\b/.test(text)).map(({ path }) => path),
      nothing,
    );
  });

  it('no exported signature has a bare number for a time or a size', () => {
    assert.deepEqual(bareUnits(sources), nothing);
  });

  it('every file that README and docs name exists, and docs/dependencies.md names every package', () => {
    const pages = ['README.md', ...filesUnder(root, 'docs').filter((path) => path.endsWith('.md'))];
    const texts = pages.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
    const named = texts.flatMap(({ path, text }) => namedFiles(text).map((file) => ({ path, file })));
    const missing = named.filter(({ file }) => !existsSync(join(root, file)));
    assert.deepEqual({ missing }, { missing: nothing });

    const page = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    const { dependencies, devDependencies } = packageFile();
    const unnamed = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([name, version]) => !page.includes(name) || !page.includes(version),
    );
    assert.deepEqual({ unnamed }, { unnamed: nothing });
  });

  it('nothing shipped has a note to its authors or a path of their machines in it', () => {
    const topLevel = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'package-lock.json')
      .map(({ name }) => name);
    const shipped = [...directories, 'docs', 'bench', 'deploy', 'examples', '.ci'].flatMap((name) =>
      filesUnder(root, name),
    );
    const texts = [...topLevel, ...shipped].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
    assert.deepEqual(deskWords(texts), nothing);
  });
});
