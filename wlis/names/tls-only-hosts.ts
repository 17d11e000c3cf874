import { epochMs, type EpochMs } from '../../config/units.js';
import { plainName } from '../../proxy/http/host-name.js';

/** Hosts that have said that they are to be read by TLS alone (RFC 6797). */
export class TlsOnlyHosts {
  readonly #hosts = new Map<string, Policy>();

  constructor(private readonly most = 10_000) {}

  /** What a host says, in an answer by TLS. @param value of the first `Strict-Transport-Security` (RFC 6797 §8.1) */
  heard(host: string, value: string, now: EpochMs): void {
    const policy = parsePolicy(value, now);
    const name = plainName(host);
    // an address has no policy
    if (policy === null || !/[a-z]/.test(name) || name.startsWith('[')) return;
    this.#hosts.delete(name);
    if (policy.until <= now) return;
    this.#hosts.set(name, policy);
    const [longestKnown] = this.#hosts.keys();
    if (this.#hosts.size > this.most && longestKnown !== undefined) this.#hosts.delete(longestKnown);
  }

  /** Whether it said so itself, or a host above it for all below (RFC 6797 §8.2). */
  has(host: string, now: EpochMs): boolean {
    if (this.#hosts.size === 0) return false;
    const name = plainName(host);
    for (let at = name; ; at = at.slice(at.indexOf('.') + 1)) {
      const policy = this.#hosts.get(at);
      if (policy !== undefined && now < policy.until && (at === name || policy.isForSubdomains)) return true;
      if (!at.includes('.')) return false;
    }
  }

  /** How many are remembered. */
  get size(): number {
    return this.#hosts.size;
  }
}

interface Policy {
  readonly until: EpochMs;
  readonly isForSubdomains: boolean;
}

/** RFC 6797 §6.1; null for what is none: a directive twice, no `max-age`, or one that is no number. */
function parsePolicy(value: string, now: EpochMs): Policy | null {
  const directives = new Map<string, string>();
  for (const part of value.split(';')) {
    if (part.trim() === '') continue;
    const [, name = '', quoted, token = ''] = /^\s*([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s"]*)))?\s*$/.exec(part) ?? [];
    if (name === '' || directives.has(name.toLowerCase())) return null;
    directives.set(name.toLowerCase(), quoted ?? token);
  }
  const age = directives.get('max-age');
  if (age === undefined || !/^\d{1,12}$/.test(age)) return null;
  return { until: epochMs(now + Number(age) * 1000), isForSubdomains: directives.has('includesubdomains') };
}
