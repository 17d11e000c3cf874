import type { Config } from '../../config/schema.js';
import { WillisError } from '../base/errors.js';
import { addressTest } from '../http/address-test.js';
import { clientAddress, clientScheme } from '../http/forwarded.js';
import type { Fields } from '../http/fields.js';
import type { Client, Request } from '../http/message.js';
import type { ConnectRequest } from '../http/request-handler.js';
import { underScheme, type TargetUri } from '../http/target-uri.js';
import { AccessGate, type Judgement } from './access-gate.js';
import type { AccessFacts } from './access-rules.js';
import type { Authenticator, Proof } from './authenticator.js';

/** Why a request may be made. */
export type Permission = Extract<Judgement, { readonly kind: 'allow' | 'no-rule' }>;

/** Who may do what, as one configuration says it. */
export class AccessPolicy {
  readonly #gate: AccessGate;
  readonly #authenticator: Authenticator | null;
  readonly #isTrustedPeer: (address: string) => boolean;
  readonly #trustsAnybody: boolean;
  /** Clients of the forward proxy, each as long as its connection. */
  readonly #clients = new WeakSet<Client>();

  /** @param authenticator there if, and only if, `access.authentication` names users */
  constructor(access: Config['access'], authenticator: Authenticator | null) {
    this.#gate = new AccessGate(access);
    this.#authenticator = authenticator;
    this.#isTrustedPeer = addressTest(access.trustedProxies);
    this.#trustsAnybody = access.trustedProxies.length > 0;
  }

  /**
   * Whether a request may be made by the forward proxy. Answers in the same turn, unless a password has to be verified.
   * @throws WillisError (or rejects with one) client-not-allowed, access-denied, authentication-required, bad-request,
   *   too-many-attempts, too-busy
   */
  admit(request: Request | ConnectRequest): Permission | Promise<Permission> {
    const { client } = request;
    if (!this.#clients.has(client)) this.admitClient(client);
    if (this.#gate.isPlain) return plain;
    const facts = 'authority' in request ? factsOfTunnel(request) : factsOf(request, 'proxy', client.address);
    const judgement = this.#gate.judge(facts);
    if (judgement.kind !== 'challenge' || this.#authenticator === null) return permission(judgement, facts);
    const proof = this.#authenticator.prove(client, request.fields);
    return proof instanceof Promise
      ? proof.then((proved) => this.#conclude(request, facts, proved))
      : this.#conclude(request, facts, proof);
  }

  /** Whether a client may look at the forward proxy's own pages. @throws WillisError client-not-allowed */
  admitClient(client: Client): void {
    if (!this.#gate.isClient(client.address)) throw notAClient(client.address);
    this.#clients.add(client);
  }

  /** Whether a request may be made on the public side. @throws WillisError access-denied */
  admitToSite(request: Request): Permission {
    if (this.#gate.isPlain) return plain;
    const facts = factsOf(request, 'site', this.clientOf(request));
    return permission(this.#gate.judge(facts), facts);
  }

  /** What is said of a request, without asking anybody anything. */
  judge(facts: AccessFacts): Judgement {
    return this.#gate.judge(facts);
  }

  /** Whether what a peer says of the hops before it is believed. */
  trusts(peer: string): boolean {
    return this.#isTrustedPeer(peer);
  }

  /** The address of the client of a request on the public side, which may stand behind trusted proxies (RFC 7239). */
  clientOf({ client, fields }: { readonly client: Client; readonly fields: Fields }): string {
    return this.#trustsAnybody ? clientAddress(fields, client.address, this.#isTrustedPeer) : client.address;
  }

  /** The target of a request on the public side as its client knows it: trusted proxies may end its TLS. */
  targetOf({ client, fields, form, target }: Pick<Request, 'client' | 'fields' | 'form' | 'target'>): TargetUri {
    if (!this.#trustsAnybody || form === 'absolute') return target;
    return underScheme(target, clientScheme(fields, client.address, this.#isTrustedPeer) ?? target.scheme);
  }

  #conclude(request: Request | ConnectRequest, facts: AccessFacts, proof: Proof): Permission {
    if (proof.user === null) throw (this.#authenticator as Authenticator).challenge(proof);
    request.record.user = proof.user;
    const known = { ...facts, user: proof.user };
    return permission(this.#gate.judge(known), known);
  }
}

const plain: Permission = { kind: 'no-rule' };

/** @throws WillisError */
function permission(judgement: Judgement, facts: AccessFacts): Permission {
  switch (judgement.kind) {
    case 'allow':
    case 'no-rule':
      return judgement;
    case 'deny':
      throw new WillisError('access-denied', `access.rules[${judgement.rule}] denies it`);
    case 'no-client':
      throw notAClient(facts.client);
    case 'challenge':
      throw new WillisError('access-denied', 'it is for users only, and nobody is asked who he is');
  }
}

const notAClient = (address: string): WillisError =>
  new WillisError('client-not-allowed', `${address} is not among access.clients`);

function factsOf(request: Request, side: 'proxy' | 'site', client: string): AccessFacts {
  const { method, target } = request;
  const path = target.path === '*' ? null : target.path;
  return { side, client, user: null, method, host: target.host, port: target.port, path };
}

function factsOfTunnel({ client, authority }: ConnectRequest): AccessFacts {
  const { host, port } = authority;
  return { side: 'proxy', client: client.address, user: null, method: 'CONNECT', host, port, path: null };
}
