import type { LookupAddress } from 'node:dns';
import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { rangeTest } from '../http/address-test.js';
import { bareHost, plainName } from '../http/host-name.js';
import { parseAddress } from '../http/ip-address.js';
import {
  namedSubject,
  parseDestinationRule,
  resolvedSubject,
  type DestinationRule,
  type Subject,
} from './destination-rules.js';
import { systemLookups } from './lookups.js';

/** A host and port that may be dialled. IPv6 addresses may stand in brackets. */
export interface Authority {
  readonly host: string;
  readonly port: number;
}

export interface DialGuardOptions {
  /** CIDR ranges, addresses, host names, `*.example.org`, `private`. They beat those of `deny`. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Exactly these authorities are always permitted: the origin servers that the operator configured. */
  readonly exempt?: readonly Authority[];
  /** Ports of this machine's loopback addresses that nobody is let through to, whatever `allow` says. */
  readonly closedPorts?: readonly number[];
  /** All addresses of a name, as the system resolves it (getaddrinfo); replaced in tests. */
  readonly lookup?: (host: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;
}

/**
 * Decides which addresses may be dialled. It judges the address that a name resolved to and hands out exactly that
 * address to be dialled, so that no spelling of a name and no second resolution gets past it.
 */
export class DialGuard {
  readonly #allow: readonly DestinationRule[];
  readonly #deny: readonly DestinationRule[];
  readonly #exempt: ReadonlySet<string>;
  readonly #closedPorts: ReadonlySet<number>;
  readonly #lookup: (host: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

  /** @throws TypeError for an entry that is none of the five kinds */
  constructor(options: DialGuardOptions) {
    this.#allow = options.allow.map(parseDestinationRule);
    this.#deny = options.deny.map(parseDestinationRule);
    this.#exempt = new Set((options.exempt ?? []).map(authorityKey));
    this.#closedPorts = new Set(options.closedPorts);
    this.#lookup = options.lookup ?? ((host, signal) => systemLookups.find(host, signal));
  }

  /**
   * The addresses of a host that may be dialled, in the resolver's order, at least one.
   * @throws WillisError destination-refused, dns-failed, dns-timeout, too-busy; or the signal's reason
   */
  async resolve(
    authority: Authority,
    { signal, timeout }: { signal: AbortSignal; timeout: Milliseconds },
  ): Promise<LookupAddress[]> {
    const host = bareHost(authority.host);
    const literal = parseAddress(host);
    const found =
      literal === null
        ? await this.#find(host, signal, timeout)
        : [{ address: host, family: literal.family } satisfies LookupAddress];
    if (this.#exempt.has(authorityKey(authority))) return found;
    const permitted: LookupAddress[] = [];
    let refusal = '';
    for (const one of found) {
      const reason = this.#refusal(host, one.address, authority.port);
      if (reason === null) permitted.push(one);
      else refusal = reason;
    }
    if (permitted.length > 0) return permitted;
    throw refused(host, refusal);
  }

  /**
   * Judges a destination that another one will resolve, by its host as it is named: literals in any spelling and rules that
   * name hosts count; what address a name has is not known here. @throws WillisError destination-refused, bad-request
   */
  judgeUnresolved(authority: Authority): void {
    const subject = namedSubject(authority.host);
    if (subject === null) throw new WillisError('bad-request', `${authority.host} is neither a name nor an address`);
    if (this.#exempt.has(authorityKey(authority))) return;
    const refusal = this.#judge(subject);
    if (refusal !== null) throw refused(authority.host, refusal);
  }

  /** Why an address of a host may not be dialled, in words, or null if it may. */
  #refusal(host: string, text: string, port: number): string | null {
    const address = parseAddress(text);
    if (address === null) return 'its address is not understood';
    const subject = resolvedSubject(host, address);
    return this.#closedPorts.has(port) && isOwn(subject)
      ? 'that port of this machine is not for others'
      : this.#judge(subject);
  }

  #judge(subject: Subject): string | null {
    if (this.#allow.some((rule) => rule(subject) !== null)) return null;
    for (const rule of this.#deny) {
      const reason = rule(subject);
      if (reason !== null) return reason;
    }
    return null;
  }

  async #find(host: string, signal: AbortSignal, timeout: Milliseconds): Promise<LookupAddress[]> {
    signal.throwIfAborted();
    const limit = new AbortController();
    const onAbort = (): void => limit.abort(signal.reason);
    const late = new WillisError('dns-timeout', `resolving ${host} took too long`);
    const timer = setTimeout(() => limit.abort(late), timeout);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const found = await untilAborted(this.#lookup(host, limit.signal), limit.signal);
      if (found.length === 0) throw new WillisError('dns-failed', `${host} has no address`);
      return [...found];
    } catch (error) {
      throw error instanceof WillisError || signal.aborted ? error : dnsError(host, error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** @throws the signal's reason */
function untilAborted<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    awaited.then(resolve, reject);
  });
}

/** What the system takes for this machine: loopback, and the unspecified addresses. */
const isLoopback = rangeTest(['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128']);
const isOwn = ({ address, embedded }: Subject): boolean =>
  [address, embedded].some((one) => one !== null && isLoopback(one));

const refused = (host: string, reason: string): WillisError =>
  new WillisError('destination-refused', `${host} is refused as a destination: ${reason}`);

const authorityKey = ({ host, port }: Authority): string => `${plainName(bareHost(host))} ${port}`;

function dnsError(host: string, cause: unknown): WillisError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  const late = code === 'ETIMEOUT' || code === 'ETIMEDOUT';
  return new WillisError(late ? 'dns-timeout' : 'dns-failed', `${host} could not be resolved (${code})`, { cause });
}
