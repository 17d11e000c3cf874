import { toSeconds, type EpochMs } from '../../config/units.js';
import type { Fields } from '../../proxy/http/fields.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';
import type { HeldNamespace } from '../held-namespace.js';
import { HAVE_FIELD, parseHaveField } from '../../wlis/piggyback/have-field.js';
import { NAMESPACE_FIELD, namespaceField } from '../../wlis/piggyback/namespace-field.js';

/**
 * What a node says of itself in every answer, names and values in turns: `Date`, which is the present, for it answers as an
 * origin server does; at a replica how long ago that was confirmed, as `Age` (protocol decision 14); `WLIS-Namespace`.
 * @param asked the fields of the request, whose `WLIS-Have` is echoed
 */
export function nodeFields(held: Speaking, now: EpochMs, asked: Fields): string[] {
  const lines = ['Date', formatHttpDate(now), ...namespaceLine(held, asked)];
  if (held.role === 'replica') lines.push('Age', String(Math.max(0, Math.floor(toSeconds(held.confirmedAge)))));
  return lines;
}

/** `WLIS-Namespace` alone. */
export function namespaceLine({ namespace, role, edition }: Described, asked: Fields): readonly string[] {
  const nonce = parseHaveField(asked.first(haveName))?.nonce ?? null;
  return [NAMESPACE_FIELD, namespaceField({ namespace, role, head: edition?.head.head ?? null, nonce })];
}

type Described = Pick<HeldNamespace, 'namespace' | 'role' | 'edition'>;
type Speaking = Described & Pick<HeldNamespace, 'confirmedAge'>;

const haveName = HAVE_FIELD.toLowerCase();
