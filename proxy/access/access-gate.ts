import type { Config } from '../../config/schema.js';
import { addressTest } from '../http/address-test.js';
import { AccessRules, type AccessDecision, type AccessFacts } from './access-rules.js';

/** What `access` says of a request before anything is resolved or dialled. */
export type Judgement =
  /** The client is not among `access.clients`. */
  | { readonly kind: 'no-client' }
  | AccessDecision
  /** No rule decides, and users are known by name here: the client has to be asked who it is. */
  | { readonly kind: 'challenge'; readonly rule: null };

/**
 * Judges requests in this order: of the forward proxy, whether the client may use it at all; the first rule that holds;
 * of the forward proxy with users, whether the client is one of them. Where a tunnel or a connection leads is judged
 * afterwards by others, whatever is said here.
 */
export class AccessGate {
  readonly #isClient: (address: string) => boolean;
  readonly #rules: AccessRules;
  readonly #asksUsers: boolean;

  /** @throws TypeError for what the schema of the configuration would refuse */
  constructor({ clients, rules, authentication }: Pick<Config['access'], 'clients' | 'rules' | 'authentication'>) {
    this.#isClient = addressTest(clients);
    this.#rules = new AccessRules(rules);
    this.#asksUsers = authentication.usersFile !== null;
  }

  /** Whether nothing is judged but the client's address. */
  get isPlain(): boolean {
    return this.#rules.isEmpty && !this.#asksUsers;
  }

  isClient(address: string): boolean {
    return this.#isClient(address);
  }

  judge(facts: AccessFacts): Judgement {
    if (facts.side === 'proxy' && !this.#isClient(facts.client)) return noClient;
    const decision = this.#rules.decide(facts);
    const unasked = decision.kind === 'no-rule' && facts.user === null;
    return unasked && this.#asksUsers && facts.side === 'proxy' ? challenge : decision;
  }
}

const noClient: Judgement = { kind: 'no-client' };
const challenge: Judgement = { kind: 'challenge', rule: null };
