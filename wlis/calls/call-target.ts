import { CallProblem } from './call-problem.js';
import { malformedCall } from './malformed-call.js';

/** The beginning of all calls (RFC 8615). */
export const CALLS = '/.well-known/wlis/';

export interface CallTarget {
  readonly name: string;
  /** Empty if there is none. Not decoded. */
  readonly rest: string;
  readonly query: ReadonlyMap<string, string>;
}

/**
 * `/.well-known/wlis/<name>/<rest>?<query>`. In the query `&` and `=` separate and all else is percent-encoded UTF-8; a plus
 * is a plus.
 * @param path with the query, as received
 * @throws CallProblem no-such-call, malformed-call
 */
export function parseCallTarget(path: string): CallTarget {
  const question = path.indexOf('?');
  const [place, query] = question < 0 ? [path, ''] : [path.slice(0, question), path.slice(question + 1)];
  const [, name, rest = ''] = /^\/\.well-known\/wlis\/([a-z][a-z0-9-]{0,31})(?:\/(.*))?$/s.exec(place) ?? [];
  if (name === undefined) throw new CallProblem(404, 'no-such-call', `${CALLS} has no such call`);
  return { name, rest, query: parseQuery(query) };
}

function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  if (query === '') return parameters;
  const pairs = query.split('&', mostParameters + 1);
  if (pairs.length > mostParameters) throw malformedCall(`more than ${mostParameters} parameters`);
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals));
    if (parameters.has(name)) throw malformedCall(`the parameter ${JSON.stringify(name.slice(0, 60))} twice`);
    parameters.set(name, equals < 0 ? '' : decoded(pair.slice(equals + 1)));
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformedCall('a query that is no UTF-8 in percent-encoding');
  }
}

const mostParameters = 32;
