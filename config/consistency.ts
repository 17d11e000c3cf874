import { formatPath } from './json-schema.js';
import { mirrorDomainProblems } from './mirror-domain.js';
import { addressesCollide, formatListenAddress } from './network-name.js';
import { formatOriginUri, parseOriginUri } from './origin-uri.js';
import { shown, valueAt, type Problem } from './problem.js';
import { part, type CheckedConfig } from './schema.js';
import type { Listener, Site } from './side-keys.js';

/**
 * What is wrong between keys that are each right by themselves. Takes the plain value, so that these problems are found
 * together with those of single keys; what is wrong by itself is passed over here.
 */
export function inconsistencies(value: unknown): Problem[] {
  const roles = part.roles(valueAt(value, ['roles']));
  const listeners = (['proxy', 'site', 'admin'] as const).map(
    (key) => [key, part.listener(key, valueAt(value, ['listen', key]))] as const,
  );
  const written = valueAt(value, ['sites']);
  const sites = Array.isArray(written) ? written.map((site) => part.site(site)) : [];
  return [
    ...missingListeners(
      roles,
      listeners,
      sites.length > 0 ? 'sites' : namespacesIn(value).length > 0 ? 'namespaces' : null,
    ),
    ...collisions(roles, listeners),
    ...repeatedSites(sites),
    ...repeatedNamespaces(value),
    ...repeatedMirrors(value),
    ...halfCredentials(valueAt(value, ['upstream', 'proxy'])),
    ...mirrorDomainProblems(value),
    ...halfPosition(valueAt(value, ['node', 'geo'])),
    ...rulesForUnknownUsers(value),
    ...rulesThatNeverHold(value),
    ...rulesThatKeepNothing(value),
  ];
}

type Roles = CheckedConfig['roles'] | undefined;
type Listeners = readonly (readonly [key: 'proxy' | 'site' | 'admin', listener: Listener | null | undefined])[];

/** Listeners that will be opened: the forward proxy's only with its role. */
const opened = (roles: Roles, listeners: Listeners): [string, Listener][] =>
  listeners.flatMap(([key, listener]) =>
    listener == null || (key === 'proxy' && !(roles?.includes('clientSide') ?? false)) ? [] : [[key, listener]],
  );

/** @param served what the public side is needed for; null if for nothing */
function missingListeners(roles: Roles, listeners: Listeners, served: 'sites' | 'namespaces' | null): Problem[] {
  const isClosed = (key: string): boolean => listeners.some(([name, listener]) => name === key && listener === null);
  const missing = (key: string, reason: string, hint: string): Problem => ({
    path: ['listen', key],
    at: 'value',
    expected: `an address, because ${reason}`,
    got: 'nothing',
    hint,
  });
  const problems: Problem[] = [];
  if (roles?.includes('clientSide') === true && isClosed('proxy')) {
    problems.push(missing('proxy', 'roles has clientSide', 'Give an address, or take clientSide out of roles.'));
  }
  if (roles?.includes('wlis') === true && isClosed('site')) {
    problems.push(missing('site', 'roles has wlis', 'Give an address, or take wlis out of roles.'));
  } else if (served !== null && isClosed('site')) {
    problems.push(missing('site', `there are ${served}`, `Give an address, or take the ${served} out.`));
  }
  const known = roles !== undefined && listeners.every(([, listener]) => listener !== undefined);
  if (known && problems.length === 0 && opened(roles, listeners).length === 0) {
    problems.push({ path: ['listen'], at: 'value', expected: 'at least one open listener', got: 'none', hint: null });
  }
  return problems;
}

function collisions(roles: Roles, listeners: Listeners): Problem[] {
  const open = opened(roles, listeners);
  return open.flatMap(([key, { address }], index) => {
    const other = open.slice(0, index).find(([, earlier]) => addressesCollide(earlier.address, address));
    if (other === undefined) return [];
    const taken = `${formatListenAddress(address)}, taken by listen.${other[0]}`;
    return [{ path: ['listen', key], at: 'value' as const, expected: 'an address of its own', got: taken, hint: null }];
  });
}

function repeatedSites(sites: readonly (Site | undefined)[]): Problem[] {
  return sites.flatMap((site, index) => {
    if (site === undefined) return [];
    const first = sites.findIndex((other) => other?.host === site.host && other.prefix === site.prefix);
    if (first === index) return [];
    const got = `${shown(site.host)} with ${shown(site.prefix)} again, as in sites[${first}]`;
    return [{ path: ['sites', index], at: 'value' as const, expected: 'each host and prefix once', got, hint: null }];
  });
}

interface WrittenNamespace {
  readonly path: readonly (string | number)[];
  /** In its usual spelling. */
  readonly url: string;
}

function namespacesIn(value: unknown): WrittenNamespace[] {
  return ['primary', 'replicated'].flatMap((section) => {
    const list = valueAt(value, [section, 'namespaces']);
    if (!Array.isArray(list)) return [];
    return list.flatMap((one: unknown, index) => {
      const url = valueAt(one, ['url']);
      const uri = typeof url === 'string' ? parseOriginUri(url) : '';
      if (typeof uri === 'string') return [];
      return [{ path: [section, 'namespaces', index, 'url'], url: formatOriginUri(uri) }];
    });
  });
}

/** A node holds a namespace as its primary or as a replica, once. */
function repeatedNamespaces(value: unknown): Problem[] {
  const all = namespacesIn(value);
  return all.flatMap(({ path, url }, index) => {
    const first = all.slice(0, index).find((other) => other.url === url);
    if (first === undefined) return [];
    const got = `${shown(url)} again, as in ${formatPath(first.path)}`;
    return [{ path, at: 'value' as const, expected: 'each namespace once', got, hint: null }];
  });
}

function halfPosition(geo: unknown): Problem[] {
  const [lat, lon] = [valueAt(geo, ['lat']) ?? null, valueAt(geo, ['lon']) ?? null];
  if ((lat === null) === (lon === null)) return [];
  const missing = lat === null ? 'lat' : 'lon';
  const expected = 'degrees, since the other half of the position is given';
  return [{ path: ['node', 'geo', missing], at: 'value', expected, got: 'nothing', hint: null }];
}

/** What is mirrored is said once: there and nowhere else is whether its mirrors are trusted. */
function repeatedMirrors(value: unknown): Problem[] {
  const mirrors = valueAt(value, ['clientSide', 'mirrors']);
  const all = (Array.isArray(mirrors) ? mirrors : []).map((mirror: unknown) => {
    const of = valueAt(mirror, ['of']);
    const uri = typeof of === 'string' ? parseOriginUri(of) : '';
    return typeof uri === 'string' ? null : formatOriginUri(uri);
  });
  return all.flatMap((url, index) => {
    const first = url === null ? -1 : all.indexOf(url);
    if (url === null || first === index) return [];
    const got = `${shown(url)} again, as in clientSide.mirrors[${first}].of`;
    const path = ['clientSide', 'mirrors', index, 'of'];
    return [{ path, at: 'value' as const, expected: 'each part of the web once', got, hint: null }];
  });
}

function halfCredentials(proxy: unknown): Problem[] {
  const [user, passwordFile] = [valueAt(proxy, ['user']) ?? null, valueAt(proxy, ['passwordFile']) ?? null];
  if ((user === null) === (passwordFile === null)) return [];
  const path = ['upstream', 'proxy', user === null ? 'user' : 'passwordFile'];
  const expected = user === null ? 'the user whose password is given' : 'the file with the password of the user';
  return [{ path, at: 'value', expected, got: 'nothing', hint: null }];
}

/** Nobody can be one of the users of a rule where nobody is asked who he is. */
function rulesForUnknownUsers(value: unknown): Problem[] {
  const rules = valueAt(value, ['access', 'rules']);
  if (!Array.isArray(rules) || (valueAt(value, ['access', 'authentication', 'usersFile']) ?? null) !== null) return [];
  return rules.flatMap((rule: unknown, index) => {
    const users = valueAt(rule, ['users']);
    if (!Array.isArray(users) || users.length === 0) return [];
    const path = ['access', 'rules', index, 'users'];
    const expected = 'none without access.authentication.usersFile, for nobody is asked who he is';
    return [
      { path, at: 'value' as const, expected, got: 'a list', hint: "'willis user --help' tells how to make one." },
    ];
  });
}

/** What is not stored can neither be kept nor take room. */
function rulesThatKeepNothing(value: unknown): Problem[] {
  const rules = valueAt(value, ['cache', 'rules']);
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown, index) => {
    if (valueAt(rule, ['store']) !== false) return [];
    const problem = (key: string, expected: string, got: unknown): Problem[] => [
      { path: ['cache', 'rules', index, key], at: 'value', expected, got: shown(got), hint: null },
    ];
    const [pin, maxBytes] = [valueAt(rule, ['pin']) ?? false, valueAt(rule, ['maxBytes']) ?? null];
    return [
      ...(pin === false ? [] : problem('pin', 'false, for the rule says that nothing is stored', pin)),
      ...(maxBytes === null ? [] : problem('maxBytes', 'null, for the rule says that nothing is stored', maxBytes)),
    ];
  });
}

/** A rule that somebody relies on, and that no request ever meets. */
function rulesThatNeverHold(value: unknown): Problem[] {
  const rules = valueAt(value, ['access', 'rules']);
  if (!Array.isArray(rules)) return [];
  const isListOf = (list: unknown, only: string): boolean =>
    Array.isArray(list) && list.length > 0 && list.every((one) => one === only);
  return rules.flatMap((rule: unknown, index) => {
    const users = valueAt(rule, ['users']);
    const paths = valueAt(rule, ['paths']);
    const problems: Problem[] = [];
    const problem = (key: string, expected: string): void =>
      void problems.push({ path: ['access', 'rules', index, key], at: 'value', expected, got: 'a list', hint: null });
    if (Array.isArray(users) && users.length > 0 && isListOf(valueAt(rule, ['sides']), 'site')) {
      problem('users', 'none in a rule for the public side, where nobody is asked who he is');
    }
    if (Array.isArray(paths) && paths.length > 0 && isListOf(valueAt(rule, ['methods']), 'CONNECT')) {
      problem('paths', 'none in a rule for CONNECT, for a tunnel has no path');
    }
    return problems;
  });
}
