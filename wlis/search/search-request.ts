import { CallProblem } from '../calls/call-problem.js';
import { malformedCall } from '../calls/malformed-call.js';
import type { Namespace } from '../namespace.js';
import { furthestOffset, longestQuery, mostResults, queryTerms, usualLimit, type SearchQuery } from './search-query.js';

/** What somebody asks for by `…/search?q=…&limit=…&offset=…&namespace=…`. */
export interface SearchRequest {
  /** As it was typed. */
  readonly typed: string;
  readonly query: SearchQuery;
  /** The one that was chosen; null for all. */
  readonly namespace: Namespace | null;
  /** Those in which it is looked for. */
  readonly namespaces: readonly Namespace[];
}

/**
 * In the query, as in those that browsers make of forms, a plus is a space.
 * @param path with the query, as received
 * @param searched the namespaces in which the client may look
 * @throws CallProblem malformed-call, not-searched
 */
export function parseSearchRequest(path: string, searched: readonly Namespace[]): SearchRequest {
  const asked = new URLSearchParams(/\?(.*)$/s.exec(path)?.[1] ?? '');
  const typed = (asked.get('q') ?? '').trim();
  if (typed.length > longestQuery) throw malformedCall(`'q' has more than ${longestQuery} characters`);
  const limit = count(asked, 'limit', 1, mostResults) ?? usualLimit;
  const offset = count(asked, 'offset', 0, furthestOffset) ?? 0;
  const named = asked.get('namespace') ?? '';
  const namespace = named === '' ? null : searched.find((one) => one === named);
  if (namespace === undefined) {
    throw new CallProblem(404, 'not-searched', `${named.slice(0, 300)} cannot be searched at this node`);
  }
  const namespaces = namespace === null ? searched : [namespace];
  return { typed, query: { terms: queryTerms(typed), offset, limit }, namespace, namespaces };
}

function count(asked: URLSearchParams, name: string, least: number, most: number): number | null {
  const text = asked.get(name);
  if (text === null) return null;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (value < least || value > most) throw malformedCall(`'${name}' is a number from ${least} to ${most}`);
  return value;
}

/** The same for another part of what was found. */
export function searchQueryOf({ typed, query, namespace }: SearchRequest, offset: number): string {
  const asked = new URLSearchParams({ q: typed });
  if (namespace !== null) asked.set('namespace', namespace);
  if (query.limit !== usualLimit) asked.set('limit', String(query.limit));
  if (offset > 0) asked.set('offset', String(offset));
  return `?${asked.toString()}`;
}
