import type { AccessRule, Config } from '../../config/schema.js';
import { formatOriginUri, formatProxyUri } from '../../config/origin-uri.js';
import { AccessGate, type Judgement } from '../access/access-gate.js';
import type { AccessFacts } from '../access/access-rules.js';
import type { Users } from '../access/users-file.js';
import { asWillisError, type ErrorCode } from '../base/errors.js';
import { CacheRules } from '../cache/cache-rules.js';
import { DialGuard } from '../forward/dial-guard.js';
import { noProxyTest } from '../forward/no-proxy.js';
import type { TargetUri } from '../http/target-uri.js';
import { proxyDestinations } from '../roles/proxy-destinations.js';
import { climbs, withoutDotSegments } from '../roles/public-target.js';
import { Sites } from '../roles/sites.js';

/** A request that somebody might make. */
export interface Supposed {
  readonly side: 'proxy' | 'site';
  readonly client: string;
  readonly user: string | null;
  /** `CONNECT` for a tunnel to the target's host and port. */
  readonly method: string;
  readonly target: TargetUri;
}

/** What one gate says of a request. */
export interface Finding {
  readonly gate: 'client' | 'rule' | 'user' | 'tunnel' | 'destination' | 'site' | 'cache' | 'purge';
  /** The gate lets it through, stops it, or has only something to tell. */
  readonly says: 'yes' | 'no' | 'note';
  readonly text: string;
  /** What a request that it stops is answered with. */
  readonly code?: ErrorCode;
}

export interface FindingOptions {
  readonly config: Config;
  /** Null if nobody is asked who he is. */
  readonly users: Users | null;
  /** A key of the configuration with the place where it stands. */
  readonly at: (key: string) => string;
  /** In place of the system's resolver. */
  readonly guard?: DialGuard;
}

/** Asks every gate in turn, by the code that a running node asks, up to the one that stops the request. */
export async function accessFindings(supposed: Supposed, options: FindingOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { side } = supposed;
  const gates =
    side === 'proxy'
      ? [clientGate, ruleGates, purgeGate, tunnelGate, destinationGate, cacheGate]
      : [ruleGates, purgeGate, siteGate, cacheGate];
  for (const gate of gates) {
    findings.push(...(await gate(supposed, options)));
    if (findings.some(({ gate: at, says }) => says === 'no' || at === 'purge')) break;
  }
  return findings;
}

type Gate = (supposed: Supposed, options: FindingOptions) => Finding[] | Promise<Finding[]>;

const clientGate: Gate = ({ client }, { config, at }) => [
  new AccessGate(config.access).isClient(client)
    ? { gate: 'client', says: 'yes', text: `${client} is in ${at('access.clients')}` }
    : { gate: 'client', says: 'no', text: `${client} is not in ${at('access.clients')}`, code: 'client-not-allowed' },
];

/** A client is asked who it is only if the first answer depends on it. */
const ruleGates: Gate = (supposed, options) => {
  const gate = new AccessGate(options.config.access);
  const first = gate.judge(factsOf(supposed, null));
  if (first.kind !== 'challenge') {
    const unasked: Finding = { gate: 'user', says: 'note', text: 'is not asked for' };
    return [...(supposed.user === null ? [] : [unasked]), ruleFinding(first, options)];
  }
  const why = first.rule === null ? 'no rule decides' : `depends on ${options.at(`access.rules[${first.rule}]`)}`;
  if (supposed.user === null) {
    const text = `${why}, so the client is asked who it is; add ,user=NAME to see what a user may do`;
    return [{ gate: 'user', says: 'no', text, code: 'authentication-required' }];
  }
  const proof = userFinding(supposed.user, why, options);
  return proof.says === 'no' ? [proof] : [proof, ruleFinding(gate.judge(factsOf(supposed, supposed.user)), options)];
};

function userFinding(user: string, why: string, { users, at }: FindingOptions): Finding {
  const isKnown = users !== null && (users.passwords.has(user) || [...users.tokens.values()].includes(user));
  const file = at('access.authentication.usersFile');
  return isKnown
    ? { gate: 'user', says: 'yes', text: `${why}; ${user} is in ${file}` }
    : { gate: 'user', says: 'no', text: `${why}; ${user} is not in ${file}`, code: 'authentication-required' };
}

function ruleFinding(judgement: Judgement, { config, at }: FindingOptions): Finding {
  if (judgement.kind !== 'allow' && judgement.kind !== 'deny')
    return { gate: 'rule', says: 'yes', text: 'none decides, so it may pass' };
  const rule = config.access.rules[judgement.rule];
  const text = `${at(`access.rules[${judgement.rule}]`)}: ${rule === undefined ? '' : ruleText(rule)}`;
  if (judgement.kind === 'deny') return { gate: 'rule', says: 'no', text, code: 'access-denied' };
  return { gate: 'rule', says: 'yes', text };
}

/** A rule on one line: `deny hosts games.example; ports 80, 443`. */
function ruleText({ action, sides, ...conditions }: AccessRule): string {
  const named = Object.entries(conditions).filter(([, values]) => values.length > 0);
  const all = sides.length === 1 && sides[0] === 'proxy' ? named : [['sides', sides] as const, ...named];
  const said = all.map(([key, values]) => `${key} ${values.join(', ')}`).join('; ');
  return said === '' ? `${action} everything` : `${action} ${said}`;
}

const tunnelGate: Gate = ({ method, target }, { config, at }) => {
  if (method !== 'CONNECT') return [];
  const isOpen = config.access.connectPorts.includes(target.port);
  const text = `port ${target.port} is ${isOpen ? '' : 'not '}in ${at('access.connectPorts')}`;
  return [isOpen ? { gate: 'tunnel', says: 'yes', text } : { gate: 'tunnel', says: 'no', text, code: 'port-refused' }];
};

const destinationGate: Gate = async ({ target }, { config, guard: given }) => {
  const { proxy, noProxy, connectTimeout: timeout } = config.upstream;
  const guard = given ?? new DialGuard(proxyDestinations(config));
  const authority = { host: target.host, port: target.port };
  try {
    if (proxy !== null && !noProxyTest(noProxy)(target.host)) {
      guard.judgeUnresolved(authority);
      const text = `${target.host} through the parent proxy ${formatProxyUri(proxy.url)}, which resolves it`;
      return [{ gate: 'destination', says: 'yes', text }];
    }
    const found = await guard.resolve(authority, { signal: new AbortController().signal, timeout });
    const text = [...new Set(found.map(({ address }) => address))].join(', ');
    return [{ gate: 'destination', says: 'yes', text: text === target.host ? text : `${target.host} is ${text}` }];
  } catch (error) {
    const { code, message } = asWillisError(error);
    return [{ gate: 'destination', says: 'no', text: message, code }];
  }
};

const siteGate: Gate = ({ method, target: asked }, { config, at }) => {
  if (method === 'CONNECT') {
    return [{ gate: 'tunnel', says: 'no', text: 'the public side opens no tunnels', code: 'method-not-allowed' }];
  }
  const target = withoutDotSegments(asked);
  try {
    const site = new Sites(config.sites).serving(target);
    if (site.origin.path !== '/' && climbs(target.path)) {
      return [{ gate: 'site', says: 'no', text: 'ambiguous dot segments', code: 'bad-request' }];
    }
    const place = at(`sites[${config.sites.indexOf(site)}]`);
    const text = `${place}: ${site.host}${site.prefix} from ${formatOriginUri(site.origin)}`;
    return [{ gate: 'site', says: 'yes', text }];
  } catch (error) {
    const { code, message } = asWillisError(error);
    return [{ gate: 'site', says: 'no', text: message, code }];
  }
};

/** A purge that is performed here goes no further. */
const purgeGate: Gate = (supposed, { config }) => {
  const judged = new AccessGate(config.access).judge(factsOf(supposed, supposed.user));
  if (supposed.method !== 'PURGE' || judged.kind !== 'allow' || !judged.purges) return [];
  return [{ gate: 'purge', says: 'note', text: 'is performed here, because the rule names the method PURGE' }];
};

const cacheGate: Gate = ({ side, method, target }, { config, at }) => {
  if (method === 'CONNECT') return [];
  const rule = new CacheRules(config.cache.rules).governing(side === 'site' ? withoutDotSegments(target) : target);
  if (rule === null) return [{ gate: 'cache', says: 'note', text: 'no rule of the cache governs it' }];
  const place = at(`cache.rules[${config.cache.rules.indexOf(rule)}]`);
  return [{ gate: 'cache', says: 'note', text: `${place}: ${rule.match}${rule.store ? '' : ', nothing is stored'}` }];
};

function factsOf({ side, client, method, target }: Supposed, user: string | null): AccessFacts {
  const path = method === 'CONNECT' || target.path === '*' ? null : target.path;
  return { side, client, user, method, host: target.host, port: target.port, path };
}
