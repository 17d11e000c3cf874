import { elapsed, milliseconds, toSeconds, type EpochMs, type Milliseconds } from '../../config/units.js';
import { readableDuration } from '../../proxy/base/readable-units.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { NamespacesInUse } from '../health/namespaces-in-use.js';
import type { Positions } from '../health/positions.js';
import type { Candidate, Choice, ChoicePolicy, Chooser, NodeHealth, Question, Ranked, Skipped } from './choice.js';
import type { ChoiceRules, ForcedChoice } from './choice-rules.js';
import { askableMembers, type AskableMember } from './group-members.js';
import { StreamHold } from './stream-hold.js';

/** What the configuration says of choosing. */
export interface ChoiceSettings {
  /** For operators: `nearest`, or the path of a module. */
  readonly name: string;
  readonly policy: ChoicePolicy;
  readonly rules: ChoiceRules;
  /** Of this node, which does not ask itself; null if it has none. */
  readonly ownUrl: string | null;
}

export interface GroupChooserOptions {
  readonly health: { of(url: string): NodeHealth };
  readonly positions: Pick<Positions, 'farBehind'>;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** Is told of which namespaces something is chosen. */
  readonly inUse?: Pick<NamespacesInUse, 'used'>;
  /** From 0 to before 1; of the program by default. */
  readonly chance?: () => number;
}

/**
 * Chooses among the members of the group of a namespace: those that hold the document and may carry it, in the order of the
 * policy; behind them those that have long been behind, and at last those that look down, since all may look so.
 */
export class GroupChooser implements Chooser {
  readonly #options: GroupChooserOptions;
  readonly #chance: () => number;
  readonly #streams = new StreamHold();
  #settings: ChoiceSettings;

  constructor(options: GroupChooserOptions, settings: ChoiceSettings) {
    this.#options = options;
    this.#chance = options.chance ?? Math.random;
    this.#settings = settings;
  }

  /** From now on. */
  configure(settings: ChoiceSettings): void {
    this.#settings = settings;
  }

  /** What chooses: `nearest`, the path of a module. */
  get name(): string {
    return this.#settings.name;
  }

  /** In which order candidates are tried. */
  get policy(): ChoicePolicy {
    return this.#settings.policy;
  }

  /** The rule that decides about a URI in place of the policy; null if none does. */
  ruleFor(uri: string): ForcedChoice | null {
    return this.#settings.rules.of(uri);
  }

  choose(known: KnownNamespace, question: Question): Choice {
    this.#options.inUse?.used(known, question.now);
    const choice = this.wouldChoose(known, question);
    return { ...choice, ranked: this.#streams.kept(choice.ranked, question) };
  }

  /** The same for one who only wants to know. */
  wouldChoose(known: KnownNamespace, question: Question): Choice {
    const { usable, skipped } = this.#usable(known, question);
    const rule = this.#settings.rules.of(question.uri);
    if (rule !== null) return this.#forced(known, rule, usable, skipped);
    const { from } = question;
    return from === undefined
      ? this.#ranked(known, question, usable, skipped)
      : this.#chosen(known, from, usable, skipped);
  }

  #usable(known: KnownNamespace, { path, size }: Question): { usable: Candidate[]; skipped: Skipped[] } {
    const now = this.#options.now();
    const usable: Candidate[] = [];
    const skipped: Skipped[] = [];
    for (const member of askableMembers(known.group)) {
      const because = this.#unfit(member, path, size, now);
      if (because === null) usable.push(this.#candidate(member));
      else skipped.push({ url: member.urls[0] ?? member.member.urls[0] ?? member.key, because });
    }
    return { usable, skipped };
  }

  /** Why a member cannot be asked; null if it can. */
  #unfit({ urls, member, holds, isActive }: AskableMember, path: string, size: Question['size'], now: EpochMs) {
    if (member.urls.length === 0) return 'nobody can reach it';
    if (urls.length === 0) return 'without TLS';
    const { ownUrl } = this.#settings;
    if (ownUrl !== null && urls.includes(ownUrl)) return 'this node itself';
    if (!isActive(now)) return 'no longer active';
    return holds(path, size) ? null : 'holds another part';
  }

  /** By its first URL at which it does not look down. */
  #candidate({ urls, key, role, member }: AskableMember): Candidate {
    const { health } = this.#options;
    const [first = ''] = urls;
    const url = urls.length < 2 ? first : (urls.find((one) => health.of(one).breaker === 'closed') ?? first);
    return { url, key, role, place: member.place, capacity: member.capacity, health: health.of(url) };
  }

  #ranked(known: KnownNamespace, question: Question, usable: Candidate[], skipped: Skipped[]): Choice {
    const well: Candidate[] = [];
    const behind: Candidate[] = [];
    const down: Candidate[] = [];
    for (const candidate of usable) {
      const because = this.#lateBecause(candidate, known);
      if (because === null) {
        well.push(candidate);
        continue;
      }
      (candidate.health.breaker === 'closed' ? behind : down).push(candidate);
      skipped.push({ url: candidate.url, because });
    }
    const { policy } = this.#settings;
    const inOrder = (some: Candidate[]): readonly Ranked[] =>
      some.length === 0 ? [] : policy(some, question, this.#chance);
    const inTrial = down.filter(({ health }) => health.breaker === 'probing');
    const open = down.filter(({ health }) => health.breaker === 'open');
    return {
      ranked: [...inOrder(well), ...inOrder(behind), ...[...inOrder(inTrial), ...inOrder(open)].toSorted(liarsLast)],
      skipped,
    };
  }

  /** Why a node comes behind the others; null if it does not. */
  #lateBecause({ url, role, health }: Candidate, { namespace }: KnownNamespace): string | null {
    if (health.breaker !== 'closed') return this.#down(health);
    const lag = role === 'primary' ? null : this.#options.positions.farBehind(url, namespace);
    if (lag === null) return null;
    const changes = lag.missing === null ? 'in an epoch that has ended' : `${lag.missing} changes behind`;
    return `${changes} for ${inWords(lag.time)} or longer`;
  }

  #down({ breaker, failure }: NodeHealth): string {
    const state = breaker === 'open' ? 'breaker open' : 'in trial';
    if (failure === null) return state;
    const { reason, at, detail } = failure;
    const ago = inWords(elapsed(at, this.#options.now()));
    return `${state}: ${reason}${detail === null ? '' : ` (${detail})`} ${ago} ago`;
  }

  /** That node alone, be it no member: what it sends is verified like everything else. */
  #forced(known: KnownNamespace, rule: ForcedChoice, usable: Candidate[], skipped: Skipped[]): Choice {
    const isMeant = ({ url, role }: Candidate): boolean =>
      rule.from === 'primary' ? role === 'primary' : url === rule.from;
    const meant = usable.find(isMeant) ?? this.#stranger(known, rule);
    return alone(meant, usable, skipped, `by the rule for ${rule.match}`);
  }

  /** That member alone, by whichever of its URLs; nobody if it has left the group, or is not fit for this. */
  #chosen({ group }: KnownNamespace, from: string, usable: Candidate[], skipped: Skipped[]): Choice {
    const members = askableMembers(group);
    const member = members.find(({ role, urls }) => (from === 'primary' ? role === from : urls.includes(from)));
    const meant = usable.find(({ key }) => key !== null && key === member?.key) ?? null;
    return alone(meant, usable, skipped, 'another one has been chosen');
  }

  /** A node that the operator names and the group does not, or not for this; null where it may not carry the namespace. */
  #stranger({ namespace, group }: KnownNamespace, { from }: ForcedChoice): Candidate | null {
    if (from === 'primary' || (namespace.startsWith('https:') && !from.startsWith('https:'))) return null;
    const member = askableMembers(group).find(({ urls }) => urls.includes(from));
    if (member !== undefined) return { ...this.#candidate(member), url: from, health: this.#options.health.of(from) };
    const health = this.#options.health.of(from);
    return { url: from, key: null, role: 'replica', place: null, capacity: 1, health };
  }
}

const alone = (meant: Candidate | null, usable: Candidate[], skipped: Skipped[], because: string): Choice => ({
  ranked: meant === null ? [] : [{ candidate: meant, score: 0 }],
  skipped: [...skipped, ...usable.filter((one) => one !== meant).map(({ url }) => ({ url, because }))],
});

/** Who could not be reached may be there again; who lied is there. */
const liarsLast = (a: Ranked, b: Ranked): number => Number(hasLied(a)) - Number(hasLied(b));

const hasLied = ({ candidate }: Ranked): boolean => candidate.health.failure?.reason === 'false';

const inWords = (time: Milliseconds): string =>
  readableDuration(toSeconds(milliseconds(Math.max(0, Math.round(time / 1000)) * 1000)));
