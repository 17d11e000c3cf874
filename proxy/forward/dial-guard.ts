import { lookup as lookupCallback, type LookupAddress } from 'node:dns';
import { promisify } from 'node:util';
import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { contains, embeddedIpv4, parseAddress, parseRange, privateRangeOf } from './destination-ranges.js';
import type { IpAddress, IpRange } from './destination-ranges.js';

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
  /** All addresses of a name, as the system resolves it (getaddrinfo); replaced in tests. */
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>;
}

/**
 * Decides which addresses may be dialled. It judges the address that a name resolved to and hands out exactly that
 * address to be dialled, so that no spelling of a name and no second resolution gets past it.
 */
export class DialGuard {
  readonly #allow: readonly Rule[];
  readonly #deny: readonly Rule[];
  readonly #exempt: ReadonlySet<string>;
  readonly #lookup: (host: string) => Promise<readonly LookupAddress[]>;

  /** @throws TypeError for an entry that is none of the five kinds */
  constructor(options: DialGuardOptions) {
    this.#allow = options.allow.map(parseRule);
    this.#deny = options.deny.map(parseRule);
    this.#exempt = new Set((options.exempt ?? []).map(authorityKey));
    this.#lookup = options.lookup ?? systemLookup;
  }

  /**
   * The addresses of a host that may be dialled, in the resolver's order, at least one.
   * @throws WillisError destination-refused, dns-failed, dns-timeout; or the signal's reason
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
      const reason = this.#refusal(host, one.address);
      if (reason === null) permitted.push(one);
      else refusal = reason;
    }
    if (permitted.length > 0) return permitted;
    throw new WillisError('destination-refused', `${host} is refused as a destination: ${refusal}`);
  }

  /** Why an address of a host may not be dialled, in words, or null if it may. */
  #refusal(host: string, text: string): string | null {
    const address = parseAddress(text);
    if (address === null) return 'its address is not understood';
    const subject: Subject = { host: plainName(host), address, embedded: embeddedIpv4(address) };
    if (this.#allow.some((rule) => rule(subject) !== null)) return null;
    for (const rule of this.#deny) {
      const reason = rule(subject);
      if (reason !== null) return reason;
    }
    return null;
  }

  async #find(host: string, signal: AbortSignal, timeout: Milliseconds): Promise<LookupAddress[]> {
    signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    const given = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new WillisError('dns-timeout', `resolving ${host} took too long`)), timeout);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      const found = await Promise.race([this.#lookup(host), given]);
      if (found.length === 0) throw new WillisError('dns-failed', `${host} has no address`);
      return [...found];
    } catch (error) {
      throw error instanceof WillisError || signal.aborted ? error : dnsError(host, error);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }
}

/** A host as the resolver takes it: an IPv6 literal without its brackets. */
export const bareHost = (host: string): string =>
  host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;

interface Subject {
  readonly host: string;
  readonly address: IpAddress;
  readonly embedded: IpAddress | null;
}

/** Says in words what about a destination meets it, or null. */
type Rule = (subject: Subject) => string | null;

function parseRule(entry: string): Rule {
  if (entry === 'private') return privateRule;
  const range = parseRange(bareHost(entry));
  if (range !== null) return rangeRule(entry, range);
  const name = plainName(entry);
  if (name.startsWith('*.')) return nameRule(entry, (host) => host.endsWith(name.slice(1)));
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name)) throw new TypeError(`not a destination: ${entry}`);
  return nameRule(entry, (host) => host === name);
}

const privateRule: Rule = ({ address }) => {
  const row = privateRangeOf(address);
  return row === null ? null : `it is in ${row.cidr} (${row.meaning})`;
};

const rangeRule =
  (entry: string, range: IpRange): Rule =>
  ({ address, embedded }) =>
    contains(range, address) || (embedded !== null && contains(range, embedded)) ? `it is in ${entry}` : null;

const nameRule =
  (entry: string, matches: (host: string) => boolean): Rule =>
  ({ host }) =>
    matches(host) ? `it is ${entry}` : null;

/** A name in lower case and without the dot of the root. */
const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

const authorityKey = ({ host, port }: Authority): string => `${plainName(bareHost(host))} ${port}`;

const lookupAll = promisify(lookupCallback);

const systemLookup = (host: string): Promise<LookupAddress[]> => lookupAll(host, { all: true, verbatim: true });

function dnsError(host: string, cause: unknown): WillisError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  const late = code === 'ETIMEOUT' || code === 'ETIMEDOUT';
  return new WillisError(late ? 'dns-timeout' : 'dns-failed', `${host} could not be resolved (${code})`, { cause });
}
