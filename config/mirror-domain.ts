import { isUriHost } from './network-name.js';
import { formatPath, type Path } from './json-schema.js';
import { parseOriginUri } from './origin-uri.js';
import { shown, valueAt, type Problem } from './problem.js';

/**
 * What is wrong with `node.mirrorDomain` beside the rest of a configuration, as plain values: pages below it are of many
 * namespaces, so that nothing else may have a name there.
 */
export function mirrorDomainProblems(value: unknown): Problem[] {
  const written = valueAt(value, ['node', 'mirrorDomain']);
  if (typeof written !== 'string' || !(written === '*' || isUriHost(written))) return [];
  const domain = written.toLowerCase();
  const problem = (expected: string, got: string): Problem[] => [
    { path: ['node', 'mirrorDomain'], at: 'value', expected, got, hint: null },
  ];
  if (domain === '*' || /^[\d.]+$|\[/.test(domain))
    return problem('a domain, which has names below it', shown(written));
  if (domain.length > longest) return problem(`a domain of at most ${longest} characters`, `one of ${domain.length}`);
  if (taken.test(domain)) return problem('a domain of your own', shown(written));
  const inside = namedHosts(value).find(({ host }) => host === domain || host.endsWith(`.${domain}`));
  if (inside === undefined) return [];
  return problem(
    'a domain in which nothing else has a name',
    `${shown(written)}, in which ${formatPath(inside.path)} is`,
  );
}

/** Hosts that something else has, and by which key. */
function namedHosts(value: unknown): { readonly path: Path; readonly host: string }[] {
  const sites = listAt(value, ['sites']).map((site, index) => ({
    path: ['sites', index, 'host'],
    host: valueAt(site, ['host']),
  }));
  const urls = [
    { path: ['node', 'url'], url: valueAt(value, ['node', 'url']) },
    ...['primary', 'replicated'].flatMap((section) =>
      listAt(value, [section, 'namespaces']).map((one, index) => ({
        path: [section, 'namespaces', index, 'url'],
        url: valueAt(one, ['url']),
      })),
    ),
  ].map(({ path, url }) => ({ path, host: typeof url === 'string' ? hostOf(url) : null }));
  return [...sites, ...urls].flatMap(({ path, host }) =>
    typeof host === 'string' ? [{ path, host: host.toLowerCase() }] : [],
  );
}

function hostOf(url: string): string | null {
  const parsed = parseOriginUri(url.endsWith('/') ? url : `${url}/`);
  return typeof parsed === 'string' ? null : parsed.host;
}

function listAt(value: unknown, path: Path): readonly unknown[] {
  const list = valueAt(value, path);
  return Array.isArray(list) ? list : [];
}

/** What this machine is called, to which its own names lead without it; and names that no name server has. */
const taken = /^(?:.*\.)?(?:localhost|wlis)$/;

/** A label of 26 characters and a dot come before it, and a name has 253. */
const longest = 253 - 27;
