import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { ClientPrefix } from '../http/client-prefix.js';
import type { Fields } from '../http/fields.js';
import type { Client } from '../http/message.js';
import { FailedAttempts } from './failed-attempts.js';
import { isPassword } from './password-hash.js';
import { proxyCredentials } from './proxy-credentials.js';
import { Turns } from './turns.js';
import type { PasswordHash, Users } from './users-file.js';

/** Whether a request proves who sends it. */
export type Proof =
  | { readonly user: string }
  /** `invalidToken` if a bearer token was given that is nobody's (RFC 6750 §3.1). */
  | { readonly user: null; readonly why: string; readonly invalidToken: boolean };

export interface AuthenticatorOptions {
  readonly users: Users;
  readonly realm: string;
  readonly prefix: ClientPrefix;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Finds out who sends a request, by Basic (RFC 7617) or Bearer (RFC 6750) credentials for the proxy. What was verified
 * once is remembered, so that a password is hashed once for a client and not for each of its requests, and all further
 * answers come in the same turn. How long a failure takes does not depend on whether there is such a user.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #attempts: FailedAttempts;
  readonly #hashings = new Turns({ atOnce: 2, waiting: 64 });
  /** Keeps what is remembered from being of use to anybody who gets to see it. */
  readonly #secret = randomBytes(32);
  /** By the keyed digest of the field's value; the longest unused first. */
  readonly #remembered = new Map<string, Proof & { readonly user: string }>();
  readonly #underWay = new Map<string, Promise<Proof>>();
  /** What a connection has proved last. */
  readonly #byConnection = new WeakMap<Client, { readonly value: string; readonly proof: Proof }>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#attempts = new FailedAttempts(options.prefix);
  }

  /**
   * Who sends a request, by its fields.
   * @throws WillisError bad-request, too-many-attempts; rejects with too-busy
   */
  prove(client: Client, fields: Fields): Proof | Promise<Proof> {
    const value = fields.first('proxy-authorization');
    if (value === undefined) return unproved('no credentials were given');
    const last = this.#byConnection.get(client);
    if (last?.value === value) return last.proof;
    const digest = this.#digestOf(value);
    const known = this.#remembered.get(digest);
    if (known !== undefined) {
      this.#remember(digest, known);
      this.#byConnection.set(client, { value, proof: known });
      return known;
    }
    return this.#underWay.get(digest) ?? this.#verify(client, fields, digest);
  }

  /** What a client that has not proved who it is is answered with. */
  challenge(proof: Proof & { readonly user: null }): WillisError {
    const { users, realm } = this.#options;
    const quoted = `realm="${realm.replace(/["\\]/g, '\\$&')}"`;
    const answerFields: string[] = [];
    if (users.passwords.size > 0 || users.tokens.size === 0) {
      answerFields.push('Proxy-Authenticate', `Basic ${quoted}, charset="UTF-8"`);
    }
    if (users.tokens.size > 0) {
      const error = proof.invalidToken ? ', error="invalid_token"' : '';
      answerFields.push('Proxy-Authenticate', `Bearer ${quoted}${error}`);
    }
    return new WillisError('authentication-required', proof.why, { answerFields });
  }

  #verify(client: Client, fields: Fields, digest: string): Proof | Promise<Proof> {
    const credentials = proxyCredentials(fields);
    switch (credentials.kind) {
      case 'none':
        return unproved('no credentials were given');
      case 'unusable':
        return unproved(credentials.why);
      case 'malformed':
        throw new WillisError('bad-request', credentials.why);
      case 'bearer':
        return this.#verifyToken(client, credentials.token, digest);
      case 'basic': {
        if (this.#options.users.passwords.size === 0) return unproved('nobody has a password here');
        this.#begin(client);
        const verifying = this.#verifyPassword(client, credentials, digest);
        this.#underWay.set(digest, verifying);
        const ended = (): void => void this.#underWay.delete(digest);
        verifying.then(ended, ended);
        return verifying;
      }
    }
  }

  /** The digest of a token tells nothing about another one, so that it may be looked up. */
  #verifyToken(client: Client, token: string, digest: string): Proof {
    this.#begin(client);
    const user = this.#options.users.tokens.get(createHash('sha256').update(token, 'latin1').digest('hex'));
    if (user === undefined)
      return this.#failed(client, null, { user: null, why: 'the token is nobody’s', invalidToken: true });
    return this.#succeeded(client, user, digest);
  }

  async #verifyPassword(
    client: Client,
    { name, password }: { readonly name: string; readonly password: string },
    digest: string,
  ): Promise<Proof> {
    const hash = this.#options.users.passwords.get(name);
    const fits = await this.#hashings.run(() => isPassword(password, hash ?? this.#decoyFor(name)));
    if (fits === null) {
      this.#attempts.succeeded(client.address);
      throw new WillisError('too-busy', 'too many passwords wait to be verified');
    }
    if (hash !== undefined && fits) return this.#succeeded(client, name, digest);
    return this.#failed(client, hash === undefined ? null : name, unproved('the name and the password do not fit'));
  }

  /** Somebody else's hash, always the same for a name, so that an unknown user takes as long as some known one. */
  #decoyFor(name: string): PasswordHash {
    const hashes = [...this.#options.users.passwords.values()];
    const index = createHmac('sha256', this.#secret).update(name).digest().readUInt32BE() % hashes.length;
    return hashes[index] as PasswordHash;
  }

  /** @throws WillisError too-many-attempts */
  #begin(client: Client): void {
    const wait = this.#attempts.begin(client.address, this.#options.clock.monotonic());
    if (wait === null) return;
    const answerFields = ['Retry-After', String(wait)];
    throw new WillisError('too-many-attempts', 'the next one may be made after a while', { answerFields });
  }

  #succeeded(client: Client, user: string, digest: string): Proof {
    this.#attempts.succeeded(client.address);
    const proof = { user };
    this.#remember(digest, proof);
    return proof;
  }

  /** What was given as a name is logged only if there is such a user: people type passwords there by mistake. */
  #failed(client: Client, user: string | null, proof: Proof): Proof {
    this.#options.logger.info({ code: 'authentication-failed', client: client.address, user }, 'a login failed');
    return proof;
  }

  #remember(digest: string, proof: Proof & { readonly user: string }): void {
    this.#remembered.delete(digest);
    this.#remembered.set(digest, proof);
    if (this.#remembered.size <= mostRemembered) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      return;
    }
  }

  #digestOf(value: string): string {
    return createHmac('sha256', this.#secret).update(value, 'latin1').digest('base64');
  }
}

const mostRemembered = 10_000;

const unproved = (why: string): Proof & { readonly user: null } => ({ user: null, why, invalidToken: false });
