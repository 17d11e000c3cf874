import { parseNamespace, type Namespace } from '../namespace.js';
import { NotCanonical } from '../not-canonical.js';
import { asLogicalName } from './logical-name.js';
import { resolveName, type NameSource } from './name-resolution.js';
import { PROXY_NAME } from './proxy-host.js';

/** What is wrong with a name that an operator gave, in words that continue "expected …, got …". */
export interface NameFault {
  readonly name: string;
  readonly expected: string;
  readonly got: string;
}

/** The names that the operator of a node has given. */
export class OwnNames implements NameSource {
  readonly by = 'wlis.names';
  readonly faults: readonly NameFault[];
  /** All of them, wildcards too. */
  readonly all: readonly (readonly [pattern: string, namespace: Namespace])[];
  readonly #table = new Map<string, Namespace>();

  /** @param names as the configuration has them: namespaces by their names, or by wildcards */
  constructor(names: Readonly<Record<string, string>>) {
    const faults: NameFault[] = [];
    for (const [name, uri] of Object.entries(names)) {
      if (name === PROXY_NAME) {
        faults.push({ name, expected: 'another name', got: `${name}, under which this proxy has its own pages` });
        continue;
      }
      try {
        this.#table.set(name, parseNamespace(uri));
      } catch (error) {
        if (!(error instanceof NotCanonical)) throw error;
        faults.push({ name, expected: 'the URL of a namespace', got: `${uri} (${error.message})` });
      }
    }
    this.all = [...this.#table];
    this.faults = [...faults, ...this.all.flatMap(([name, uri]) => this.#circle(name, uri))];
  }

  find(pattern: string): Namespace | null {
    return this.#table.get(pattern) ?? null;
  }

  /** A name that leads back to itself by what the operator alone has said. */
  #circle(pattern: string, uri: Namespace): NameFault[] {
    // whatever stands for the star, the way goes on by what is behind it
    const name = asLogicalName(pattern.replace(/^\*/, 'x'));
    const found = name === null ? null : resolveName(name, [this]);
    if (found === null || found.kind === 'found' || found.kind === 'unknown') return [];
    return [{ name: pattern, expected: 'a namespace that names lead to', got: `${uri} (${found.names.join(' → ')})` }];
  }
}
