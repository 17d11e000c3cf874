import { join, resolve } from 'node:path';
import { KeyFileError } from '../../../replication/keys/key-file-error.js';
import { succeed, successionOf } from '../../../replication/keys/succession.js';
import { keepMembers } from '../../../replication/promotion/known-members.js';
import { differenceOf } from '../../../replication/promotion/site-difference.js';
import { nameSite } from '../../../replication/promotion/site-names.js';
import { findRules } from '../../../replication/promotion/site-rules.js';
import { writeSite } from '../../../replication/promotion/site-writing.js';
import { SeedIncomplete, seedPublication } from '../../../replication/publication-seed.js';
import type { Edition } from '../../../replication/held-namespace.js';
import type { Promotion } from '../../../replication/replication-control.js';
import type { ReplicatedNamespace } from '../../../replication/replica/replicated-namespace.js';
import { parseDocument, type PublishedDocument } from '../../../replication/source/published-document.js';
import { compileRules } from '../../../replication/source/source-rules.js';
import { StoredContent } from '../../../replication/stored-content.js';
import { namespaceLabel, type Namespace } from '../../../wlis/namespace.js';
import type { Group } from '../../../wlis/trust/group.js';
import type { RootChain } from '../../../wlis/trust/root-chain.js';
import { WillisError } from '../../base/errors.js';
import type { NodeParts } from './node-parts.js';
import { delegationTime } from './founding.js';
import { primaryDirectory } from './open-primary.js';
import type { PromotedSite } from './promoted-site.js';
import { promotionConfiguration, promotionNotes } from './promotion-notes.js';

export interface PromotionParts {
  readonly parts: Pick<NodeParts, 'data' | 'keys' | 'blobs' | 'callKey' | 'clock' | 'logger' | 'url'>;
  readonly held: ReplicatedNamespace;
  /** The newest that is known; null if none is. */
  readonly group: Group | null;
  /** As it was learned from others. */
  readonly chain: RootChain;
}

/**
 * Makes a replica the primary, as far as that can be done without its operator (protocol decision 11):
 *
 *  1. the keys have to be here, and every content that the namespace has;
 *  2. its documents are written as files, with the rules by which the same documents come of them;
 *  3. the list of changes of the new epoch, and who is in the group, are written where a primary looks for them;
 *  4. the key that signs is replaced: from then on nothing counts that the old primary signs.
 *
 * The configuration that makes it the primary is the operator's to write.
 * @throws WillisError promotion-refused, with what is wanting; before 4 nothing has changed for anybody
 */
export async function promote({ parts, held, group, chain }: PromotionParts): Promise<Promotion> {
  const { namespace } = held;
  const { keys, clock } = parts;
  const { edition } = held;
  if (edition === null) throw refused(`nothing is held of ${namespace} yet`);
  return orRefused(async () => {
    await successionOf(keys, namespace, chain, clock.now());
    const list = [...edition.list.changes()];
    const site = await writtenSite(parts, edition, namespace);
    const directory = primaryDirectory(parts.data, namespace);
    const seed = { namespace, path: join(directory, 'journal'), blobs: parts.blobs, clock };
    const epoch = await seedPublication(seed, edition.head.head.epoch, { changes: () => list });
    const members =
      group === null
        ? { count: 0, isOpen: false }
        : await keepMembers(join(directory, 'members'), group, parts.callKey.id, parts.logger);
    const succession = await succeed(keys, namespace, chain, { now: clock.now(), lifetime: delegationTime });
    const promoted: PromotedSite = { ...site, namespace, members, succession, group, url: parts.url };
    const documents = list.filter(({ document }) => document !== null).length;
    return {
      ...{ namespace, version: { epoch, seq: documents }, documents },
      configuration: promotionConfiguration(promoted),
      left: promotionNotes(promoted),
    };
  });
}

async function writtenSite(
  parts: PromotionParts['parts'],
  edition: Edition,
  namespace: Namespace,
): Promise<Pick<PromotedSite, 'directory' | 'rules' | 'difference'>> {
  const documents = documentsIn(edition);
  const content = new StoredContent(parts.blobs);
  checkWhole(documents, content);
  const site = nameSite(documents);
  const wanted = join(resolve(parts.data), 'promoted', namespaceLabel(namespace));
  const { directory, texts, refused: unnamed } = await writeSite(wanted, site.files, content);
  const isText = (name: string): boolean => texts.has(name);
  const rules = findRules(documents, site, isText);
  const files = new Map([...site.files].filter(([name]) => !unnamed.has(name)));
  const compiled = compileRules(rules, new URL(namespace).pathname === '/');
  return { directory, rules, difference: differenceOf(documents, files, compiled, isText) };
}

const documentsIn = ({ list }: Edition): readonly PublishedDocument[] =>
  [...list.changes()].flatMap(({ path, document }) => (document === null ? [] : [parseDocument(path, document)]));

/** Before anything is written. @throws SeedIncomplete */
function checkWhole(documents: readonly PublishedDocument[], content: StoredContent): void {
  const missing = documents.filter(({ variants }) => !variants.every((variant) => content.has(variant)));
  if (missing[0] !== undefined) throw new SeedIncomplete(missing.length, missing[0].path);
}

async function orRefused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyFileError || error instanceof SeedIncomplete) throw refused(error.message, error);
    throw error;
  }
}

const refused = (reason: string, cause?: unknown): WillisError =>
  new WillisError('promotion-refused', reason, cause === undefined ? {} : { cause });
