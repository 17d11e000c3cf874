import { createHash, timingSafeEqual } from 'node:crypto';
import { WillisError } from '../base/errors.js';
import { addressTest } from '../http/address-test.js';
import { bareHost } from '../http/host-name.js';
import { parseAddress } from '../http/ip-address.js';
import type { Request } from '../http/message.js';
import { originOf } from '../http/target-uri.js';

export interface OperatorAccessOptions {
  /** The token that admits from other machines; null: nobody is. */
  readonly token: string | null;
  /** Names by which the operator side may be called, besides localhost and addresses. */
  readonly hosts: readonly string[];
}

/**
 * Who may use the operator side: programs of this machine, and whoever has the token. A page in a browser of this machine
 * is neither: it is told by the name that it calls this by (DNS rebinding) and by its `Origin`; nor is what an
 * intermediary passes on.
 */
export class OperatorAccess {
  readonly #token: Buffer | null;
  readonly #hosts: ReadonlySet<string>;

  constructor({ token, hosts }: OperatorAccessOptions) {
    this.#token = token === null ? null : digest(token);
    this.#hosts = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())]);
  }

  /** @throws WillisError misdirected, operator-refused, operator-token */
  admit(request: Request): void {
    const { target, fields, client } = request;
    if (!this.#isOwnName(target.host)) {
      throw new WillisError('misdirected', `${target.host} is not among access.operator.hosts`);
    }
    const origin = fields.get('origin');
    if (origin !== undefined && origin !== originOf(target)) {
      throw new WillisError('operator-refused', 'a page of another origin may not ask');
    }
    const token = bearerToken(fields.get('authorization'));
    if (token !== null && this.#token !== null) {
      checkToken(token, this.#token);
      return;
    }
    if (isLoopback(client.address) && !passedOn.some((name) => fields.has(name))) return;
    if (this.#token !== null) throw tokenWanted('none was sent', '');
    throw new WillisError(
      'operator-refused',
      `${isLoopback(client.address) ? 'what a proxy passes on' : client.address} is not of this machine, and no access.operator.tokenFile is configured`,
    );
  }

  /** An address cannot be rebound to another machine, so that any is as good as the listener's own. */
  #isOwnName(host: string): boolean {
    return this.#hosts.has(host) || parseAddress(bareHost(host)) !== null;
  }
}

/** Takes the same time whatever is wrong with a token. */
function checkToken(given: string, right: Buffer): void {
  if (!timingSafeEqual(digest(given), right))
    throw tokenWanted('the one that was sent is not it', ', error="invalid_token"');
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isLoopback = addressTest(['127.0.0.0/8', '::1/128']);

/** What intermediaries add: its client is somewhere else than the connection comes from. */
const passedOn = ['via', 'forwarded', 'x-forwarded-for'];

/** RFC 6750 §2.1; null if there is no `Authorization`, or one that has no such token. */
function bearerToken(value: string | undefined): string | null {
  if (value === undefined) return null;
  return /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(value)?.[1] ?? '';
}

const tokenWanted = (detail: string, error: string): WillisError =>
  new WillisError('operator-token', detail, {
    answerFields: ['WWW-Authenticate', `Bearer realm="Willis operator"${error}`],
  });
