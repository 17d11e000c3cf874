import { originOfKey, type CacheKey } from './cache-key.js';
import type { StoredResponse } from './stored-response.js';

/**
 * Which keys have responses in a cache group of an origin (RFC 9875 §2). It names stored responses only, so it is bounded
 * by the store, which counts the names of a response's groups with its fields.
 */
export class GroupIndex {
  /** Group to key to how many responses under this key are in the group. */
  readonly #groups = new Map<string, Map<CacheKey, number>>();

  add(response: StoredResponse): void {
    for (const name of groupNames(response)) {
      const keys = this.#groups.get(name) ?? new Map<CacheKey, number>();
      this.#groups.set(name, keys.set(response.key, (keys.get(response.key) ?? 0) + 1));
    }
  }

  remove(response: StoredResponse): void {
    for (const name of groupNames(response)) {
      const keys = this.#groups.get(name);
      const count = keys?.get(response.key);
      if (keys === undefined || count === undefined) continue;
      if (count > 1) keys.set(response.key, count - 1);
      else keys.delete(response.key);
      if (keys.size === 0) this.#groups.delete(name);
    }
  }

  keysOf(name: string): CacheKey[] {
    return [...(this.#groups.get(name)?.keys() ?? [])];
  }

  clear(): void {
    this.#groups.clear();
  }
}

/** One name for a group of an origin. Neither an origin nor a cache key contains a line feed. */
export const groupName = (origin: string, group: string): string => `${origin}\n${group}`;

/** The groups of a response, each once. */
export function groupNames({ key, groups }: { readonly key: CacheKey; readonly groups: readonly string[] }): string[] {
  if (groups.length === 0) return [];
  const origin = originOfKey(key);
  return [...new Set(groups)].map((group) => groupName(origin, group));
}
