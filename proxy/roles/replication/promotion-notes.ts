import { usualRules, type SourceRules } from '../../../replication/source/source-rules.js';
import { originOf } from '../../../wlis/namespace.js';
import type { PromotedSite } from './promoted-site.js';

/** Documents that are named, of as many as there may be. */
const mostNamed = 20;

/** The entry of `primary.namespaces` that publishes what was promoted, as a file of its own: YAML. */
export function promotionConfiguration({ namespace, directory, rules, members, group }: PromotedSite): string {
  const accept = members.isOpen ? 'open' : 'listed';
  const query = group?.policy.query;
  const keys: Record<string, unknown> = {
    ...{ url: namespace, directory },
    ...ownRules(rules),
    ...(query === 'exact' && { query }),
    replicas: { accept },
  };
  const lines = Object.entries(keys).flatMap(([key, value]) => yamlLines(key, value));
  return ['primary:', '  namespaces:', ...lines.map((line, i) => `${i === 0 ? '    - ' : '      '}${line}`), ''].join(
    '\n',
  );
}

/** What is left to the operator, in sentences. */
export function promotionNotes(site: PromotedSite): readonly string[] {
  const { namespace, directory, url, difference } = site;
  return [
    `Write this into the configuration of this node, take ${namespace} out of replicated.namespaces, and have it read anew.`,
    `Its files are in ${directory}: from then on they are what is published.`,
    keyNote(site),
    `${originOf(namespace)} has to lead visitors to this node, or to a replica.`,
    ...(url === null ? ['Without node.url other nodes find this one only there: say how they reach it.'] : []),
    memberNote(site),
    ...differenceNotes(
      difference.lost,
      'cannot be made from files: it will be removed, or published otherwise',
      'cannot be made from files: they will be removed, or published otherwise',
    ),
    ...differenceNotes(
      difference.added,
      'will be published beside, for it is a file now',
      'will be published beside, for they are files now',
    ),
  ];
}

/** Those that are not usual. */
function ownRules(rules: SourceRules): Record<string, unknown> {
  const own = Object.entries(rules).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(usualRules[key as keyof SourceRules]),
  );
  return Object.fromEntries(own);
}

/** JSON is YAML. */
function yamlLines(key: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [`${key}: ${JSON.stringify(value)}`];
  return [`${key}:`, ...value.map((item) => `  - ${JSON.stringify(item)}`)];
}

const keyNote = ({ succession, namespace }: PromotedSite): string =>
  succession === 'root'
    ? 'A new key signs from now on, and nothing counts any more that the old primary signs. Make a back-up: willis keys export FILE.'
    : `The key is that of the old primary, which must not run as the primary again. Where the root key is, willis keys delegate ${namespace} can name another one.`;

function memberNote({ members: { count, isOpen } }: PromotedSite): string {
  const known = `${count === 1 ? 'One other replica is' : `${count} other replicas are`} known`;
  if (isOpen)
    return `${known}; as before anybody may replicate (replicas.accept). They find this primary by themselves.`;
  return `${known} and stay${count === 1 ? 's' : ''} admitted. Others need replicas.listed or replicas.tokenFile, as the old primary had them.`;
}

function differenceNotes(paths: readonly string[], one: string, many: string): readonly string[] {
  if (paths.length === 0) return [];
  const named = paths.slice(0, mostNamed).map((path) => (path === '' ? '(the top)' : path));
  const more = paths.length > named.length ? `, and ${paths.length - named.length} more` : '';
  return [
    `${paths.length === 1 ? 'One document' : `${paths.length} documents`} ${paths.length === 1 ? one : many}: ${named.join(', ')}${more}`,
  ];
}
