import { Fields } from '../../proxy/http/fields.js';
import { originOf, type Namespace } from '../../wlis/namespace.js';
import { decoded, longestContent, readBeginning, type DiscoveryFetch } from './discovery-fetch.js';
import { everythingAllowed, parseRobots, type RobotsRules } from './robots-txt.js';

export interface RobotsWay {
  readonly fetch: DiscoveryFetch;
  /** Product token. */
  readonly robot: string;
}

/**
 * The rules of the origin of a namespace (RFC 9309 §2.3): where it has none everything is allowed; null where it cannot say, and
 * nothing is. Five redirects are followed within the origin; elsewhere nobody speaks for it.
 * @throws what the request fails with
 */
export async function fetchRobots(
  namespace: Namespace,
  way: RobotsWay,
  signal: AbortSignal,
): Promise<RobotsRules | null> {
  const origin = originOf(namespace);
  let uri = `${origin}/robots.txt`;
  for (let hops = 0; hops <= mostHops; hops++) {
    const fields = Fields.of({
      Accept: 'text/plain, */*;q=0.1',
      'Accept-Encoding': 'identity',
      'User-Agent': way.robot,
    });
    const { status, fields: answered, body } = await way.fetch({ method: 'GET', uri, fields }, signal);
    if (status >= 200 && status < 300) {
      const content = decoded(
        await readBeginning(body, longestContent, signal),
        answered.get('content-encoding'),
        longestContent,
      );
      return content === null ? null : parseRobots(content.toString(), way.robot);
    }
    body?.cancel();
    const location = status >= 300 && status < 400 ? answered.first('location') : undefined;
    if (location === undefined) return status >= 500 || status === 429 ? null : everythingAllowed;
    const next = URL.canParse(location, uri) ? new URL(location, uri) : null;
    if (next === null || next.origin !== new URL(origin).origin) return everythingAllowed;
    uri = next.href;
  }
  return everythingAllowed;
}

const mostHops = 5;
