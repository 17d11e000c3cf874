import { canonicalUri, type CanonicalUri } from '../../wlis/canonical-uri.js';
import { isInside, type Namespace } from '../../wlis/namespace.js';
import type { Stop } from './discovery-frontier.js';
import type { Target } from './page-targets.js';

/** What is remembered of a document that was asked for, so that asking again costs little. */
export interface VisitedDocument {
  readonly uri: CanonicalUri;
  /** Null where there is nothing to compare by, or nothing that would be spared. */
  readonly validators: Validators | null;
  readonly type: string | null;
  readonly noindex: boolean;
  readonly canonical: CanonicalUri | null;
  readonly targets: readonly Target[];
}

export interface Validators {
  readonly entityTag: string | null;
  readonly lastModified: string | null;
}

/** A walk as far as it has come. */
export interface DiscoveryState {
  readonly namespace: Namespace;
  /** Whether it has come to its end: then another one is a new walk, which asks whether anything has changed. */
  readonly isComplete: boolean;
  readonly visited: readonly VisitedDocument[];
  /** Of an earlier walk, and not asked for by this one. */
  readonly before: readonly VisitedDocument[];
  /** Asked for in vain by this walk, or not to be asked for. */
  readonly failed: readonly CanonicalUri[];
  readonly waiting: readonly Stop[];
}

/** The state as a JSON text; URIs stand in it once, and everywhere else by their number. */
export function writeState(state: DiscoveryState): string {
  const numbers = new Map<CanonicalUri, number>();
  const number = (uri: CanonicalUri): number => {
    const known = numbers.get(uri);
    if (known === undefined) numbers.set(uri, numbers.size);
    return known ?? numbers.size - 1;
  };
  const row = ({ uri, validators, type, noindex, canonical, targets }: VisitedDocument): unknown[] => [
    ...[number(uri), validators?.entityTag ?? null, validators?.lastModified ?? null, type, noindex],
    canonical === null ? null : number(canonical),
    targets.map((target) => (target.kind === 'page' ? number(target.uri) : -1 - number(target.uri))),
  ];
  const [visited, before] = [state.visited.map(row), state.before.map(row)];
  const failed = state.failed.map(number);
  const waiting = state.waiting.map(({ uri, depth, kind }) => [number(uri), depth, kind]);
  const { namespace, isComplete } = state;
  return JSON.stringify({ format, namespace, isComplete, visited, before, failed, waiting, uris: [...numbers.keys()] });
}

/** Null if it is no such text, or about another namespace: then the walk begins anew. */
export function readState(text: string, namespace: Namespace): DiscoveryState | null {
  try {
    return new StateReader(JSON.parse(text), namespace).read();
  } catch {
    return null;
  }
}

const format = 'willis-discovery-1';

class BadState extends Error {}

class StateReader {
  readonly #state: Readonly<Record<string, unknown>>;
  readonly #uris: readonly CanonicalUri[];

  constructor(
    json: unknown,
    private readonly namespace: Namespace,
  ) {
    this.#state = is(typeof json === 'object' && json !== null, json as Readonly<Record<string, unknown>>);
    is(this.#state['format'] === format && this.#state['namespace'] === namespace, true);
    this.#uris = list(this.#state['uris']).map((uri) => this.#checked(uri));
  }

  read(): DiscoveryState {
    const { isComplete } = this.#state;
    return {
      namespace: this.namespace,
      isComplete: is(typeof isComplete === 'boolean', isComplete as boolean),
      visited: list(this.#state['visited']).map((one) => this.#visited(list(one))),
      before: list(this.#state['before']).map((one) => this.#visited(list(one))),
      failed: list(this.#state['failed']).map((one) => this.#uri(one)),
      waiting: list(this.#state['waiting']).map((one) => this.#stop(list(one))),
    };
  }

  #visited([uri, entityTag, lastModified, type, noindex, canonical, targets]: readonly unknown[]): VisitedDocument {
    const [tag, time] = [textOrNull(entityTag), textOrNull(lastModified)];
    return {
      uri: this.#uri(uri),
      validators: tag === null && time === null ? null : { entityTag: tag, lastModified: time },
      type: textOrNull(type),
      noindex: is(typeof noindex === 'boolean', noindex as boolean),
      canonical: canonical === null ? null : this.#uri(canonical),
      targets: list(targets).map((at) => {
        const number = is(Number.isInteger(at), at as number);
        return number < 0 ? { uri: this.#uri(-1 - number), kind: 'part' } : { uri: this.#uri(number), kind: 'page' };
      }),
    };
  }

  #stop([uri, depth, kind]: readonly unknown[]): Stop {
    is(Number.isInteger(depth) && (depth as number) >= 0 && (kind === 'page' || kind === 'part'), true);
    return { uri: this.#uri(uri), depth: depth as number, kind: kind as Stop['kind'] };
  }

  #uri(at: unknown): CanonicalUri {
    const uri = this.#uris[at as number];
    if (uri === undefined) throw new BadState('a number of no URI');
    return uri;
  }

  #checked(text: unknown): CanonicalUri {
    const uri = is(typeof text === 'string', text as CanonicalUri);
    return is(canonicalUri(uri) === uri && isInside(this.namespace, uri), uri);
  }
}

function is<T>(holds: boolean, value: T): T {
  if (!holds) throw new BadState('something else was expected');
  return value;
}

const list = (value: unknown): readonly unknown[] => is(Array.isArray(value), value as unknown[]);

/** It goes into a field line. */
const textOrNull = (value: unknown): string | null =>
  is(value === null || (typeof value === 'string' && !/[\r\n\0]/.test(value)), value as string | null);
