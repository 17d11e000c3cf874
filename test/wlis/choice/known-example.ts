import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { epochMs } from '../../../config/units.js';
import { originOf, parseNamespace } from '../../../wlis/namespace.js';
import type { Group } from '../../../wlis/trust/group.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { groupIssued, groupOf, replicaOf } from '../trust/group-example.js';
import { keyNamed } from '../trust/keys-example.js';

/** A namespace with a primary and replicas at `http://m<i>.example`, each with what differs from the usual. */
export async function knownWith(
  replicas: readonly Partial<Replica>[],
  over: Partial<Group> = {},
): Promise<KnownNamespace> {
  const keys: SigningKey[] = await Promise.all(replicas.map((_, i) => keyNamed(`replica ${i}`)));
  const stated = replicas.map((one, i) => {
    const { publicKey } = keys[i] as SigningKey;
    return replicaOf(publicKey, { urls: [`http://m${i}.example`], ...one });
  });
  const primary = (await keyNamed('primary')).publicKey;
  const usual = groupOf(primary, stated, { namespace: parseNamespace('http://docs.example.org/manual/') });
  const group = {
    ...usual,
    primary: { ...usual.primary, urls: [originOf(over.namespace ?? usual.namespace)] },
    ...over,
  };
  return {
    namespace: group.namespace,
    group: { group, jws: '' },
    learned: epochMs(groupIssued),
    head: null,
    keyFor: () => null,
    confirm: () => 'same',
    seekKeys: () => Promise.resolve(false),
    heardOf: () => undefined,
  };
}

export const primaryUrl = 'http://docs.example.org';
