import { setTimeout } from 'node:timers';
import { CallProblem } from '../calls/call-problem.js';
import { searchPatience, type SearchAnswer, type SearchControl } from './search-control.js';
import { IndexLost, SearchBusy } from './search-engine.js';
import type { SearchRequest } from './search-request.js';

/** The answer, if it comes while somebody waits. @throws (rejects with) CallProblem busy */
export async function answered(control: SearchControl, { query, namespaces }: SearchRequest): Promise<SearchAnswer> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const end = (): void => {
      ending.abort();
      reject(new SearchBusy('it takes too long'));
    };
    timer = setTimeout(end, searchPatience).unref();
  });
  try {
    return await Promise.race([control.search(query, namespaces, ending.signal), late]);
  } catch (error) {
    if (!(error instanceof SearchBusy) && !(error instanceof IndexLost)) throw error;
    throw new CallProblem(503, 'busy', 'this node cannot search just now; try again in a while', ['Retry-After', '2']);
  } finally {
    clearTimeout(timer);
  }
}
