import type { HeldNamespace } from '../held-namespace.js';

/**
 * The value of `WLIS-Namespace`: which namespace an answer belongs to, and how far the node is that gave it. A Structured
 * Fields item (RFC 9651 §3.3) with parameters: `"http://docs.example.org/";role=replica;epoch="…";seq=812`, epoch and number
 * being those of the head that it holds; without them where it holds none.
 */
export function namespaceField({ namespace, role, edition }: Described): string {
  // neither a canonical URI nor an epoch has anything in it that a string would have to escape (RFC 9651 §3.3.3)
  const base = `"${namespace}";role=${role}`;
  if (edition === null) return base;
  const { epoch, seq } = edition.head.head;
  return `${base};epoch="${epoch}";seq=${seq}`;
}

type Described = Pick<HeldNamespace, 'namespace' | 'role' | 'edition'>;
