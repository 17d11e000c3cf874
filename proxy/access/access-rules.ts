import type { AccessRule } from '../../config/schema.js';
import { patternTest } from '../../config/uri-pattern.js';
import { rangeTest } from '../http/address-test.js';
import { parseAddress, type IpAddress } from '../http/ip-address.js';
import { readingsOf, readingsOfPattern } from './path-readings.js';
import { hostTest, meaningsOf, type HostMeanings } from './requested-host.js';

/** What rules look at. */
export interface AccessFacts {
  readonly side: 'proxy' | 'site';
  /** IP address of the client in text form. */
  readonly client: string;
  /** The user that the client has proved to be; null if none. */
  readonly user: string | null;
  readonly method: string;
  /** As the request names it: names are not resolved. */
  readonly host: string;
  readonly port: number;
  /** Path and query; null for a tunnel and for a request that concerns the server as a whole. */
  readonly path: string | null;
}

/** What the rules say, with the index of the rule that says it. */
export type AccessDecision =
  | {
      readonly kind: 'allow';
      readonly rule: number;
      /** Whether the rule names the method PURGE, so that this node performs it. */
      readonly purges: boolean;
    }
  | { readonly kind: 'deny'; readonly rule: number }
  /** The rule would hold if the client proved to be a user that it names: it has to be asked who it is. */
  | { readonly kind: 'challenge'; readonly rule: number }
  | { readonly kind: 'no-rule' };

/**
 * The operator's rules: the first whose conditions all hold decides. Where servers may read a path or an address in more
 * than one way, a rule that denies holds if one reading meets it, and a rule that allows only if all do.
 */
export class AccessRules {
  readonly #rules: readonly CompiledRule[];

  constructor(rules: readonly AccessRule[]) {
    this.#rules = rules.map(compiled);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  decide(facts: AccessFacts): AccessDecision {
    if (this.isEmpty) return noRule;
    const examined = new Examined(facts);
    for (const rule of this.#rules) {
      if (!rule.conditions.every((holds) => holds(examined))) continue;
      const { users } = rule;
      if (users === null) return rule.decision;
      if (facts.user === null) {
        // nobody is ever asked on the public side, so that nobody is ever a user there
        if (facts.side === 'proxy') return rule.challenge;
      } else if (users === 'any' || users.has(facts.user)) return rule.decision;
    }
    return noRule;
  }
}

/** What the rules look at, and what follows from it, worked out when the first rule wants it. */
class Examined {
  #client: IpAddress | null | undefined;
  #meanings: HostMeanings | undefined;
  #readings: readonly string[] | undefined;

  constructor(readonly facts: AccessFacts) {}

  get client(): IpAddress | null {
    return (this.#client ??= parseAddress(this.facts.client));
  }

  get meanings(): HostMeanings {
    return (this.#meanings ??= meaningsOf(this.facts.host));
  }

  /** None for a request without a path. */
  get readings(): readonly string[] {
    const { path } = this.facts;
    return (this.#readings ??= path === null ? [] : readingsOf(withoutQuery(path)));
  }
}

type Condition = (examined: Examined) => boolean;

interface CompiledRule {
  /** All but that of users. */
  readonly conditions: readonly Condition[];
  readonly users: ReadonlySet<string> | 'any' | null;
  readonly decision: AccessDecision;
  readonly challenge: AccessDecision;
}

const noRule: AccessDecision = { kind: 'no-rule' };

function compiled(rule: AccessRule, index: number): CompiledRule {
  const { action, sides, clients, users, methods, hosts, ports, paths } = rule;
  const conditions: Condition[] = [({ facts }) => sides.includes(facts.side)];
  if (methods.length > 0) conditions.push(({ facts }) => methods.includes(facts.method));
  if (ports.length > 0) conditions.push(({ facts }) => ports.includes(facts.port));
  if (clients.length > 0) conditions.push(clientCondition(clients));
  if (hosts.length > 0) conditions.push(hostCondition(hosts, action));
  if (paths.length > 0) conditions.push(pathCondition(paths, action));
  return {
    conditions,
    users:
      users.length === 0 ? null : users.includes('*') ? 'any' : new Set(users.map((name) => name.normalize('NFC'))),
    decision:
      action === 'deny'
        ? { kind: 'deny', rule: index }
        : { kind: 'allow', rule: index, purges: methods.includes('PURGE') },
    challenge: { kind: 'challenge', rule: index },
  };
}

function clientCondition(clients: readonly string[]): Condition {
  const isOne = rangeTest(clients);
  return ({ client }) => client !== null && isOne(client);
}

function hostCondition(hosts: readonly string[], action: AccessRule['action']): Condition {
  const tests = hosts.map(hostTest);
  const isNamed = (meaning: string | IpAddress): boolean => tests.some((test) => test(meaning));
  if (action === 'deny') return ({ meanings }) => meanings.some(isNamed);
  return ({ meanings }) => meanings.every(isNamed);
}

function pathCondition(paths: readonly string[], action: AccessRule['action']): Condition {
  const holds = action === 'deny' ? pathMayBe(paths) : pathMustBe(paths);
  return ({ facts, readings }) => facts.path !== null && holds(readings);
}

/** Whether a path is, to some server, one that a pattern stands for as it is written. */
function pathMayBe(paths: readonly string[]): (readings: readonly string[]) => boolean {
  const tests = paths.flatMap((path) => readingsOfPattern(path).slice(0, 2)).map(patternTest);
  return (readings) => readings.some((reading, index) => isNew(readings, index) && tests.some((test) => test(reading)));
}

/** Whether a path is, to every server, one that a pattern stands for when that server reads it. */
function pathMustBe(paths: readonly string[]): (readings: readonly string[]) => boolean {
  const patterns = paths.map(readingsOfPattern);
  if (patterns.every((readings) => new Set(readings).size === 1)) {
    const tests = patterns.map(([one = '']) => patternTest(one));
    return (readings) =>
      readings.every((reading, index) => !isNew(readings, index) || tests.some((test) => test(reading)));
  }
  const tests = patterns.map((readings) => readings.map(patternTest));
  return (readings) => readings.every((reading, index) => tests.some((ways) => ways[index]?.(reading) === true));
}

/** Whether a reading is not the one before again; most are the same. */
const isNew = (readings: readonly string[], index: number): boolean => readings[index] !== readings[index - 1];

function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
