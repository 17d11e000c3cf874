/** Why the changes below a directory come out as one set. */
export type GateKind = 'moved' | 'marked';

interface Gate {
  readonly kind: GateKind;
  /** Files that are not finished. */
  readonly waiting: Set<string>;
}

/**
 * Directories whose changes are held back until all of them can be published at once: below a link that leads elsewhere now,
 * and below a marker that has been touched.
 */
export class ReleaseGates {
  readonly #gates = new Map<string, Gate>();

  /** A gate takes in those that are further inside. */
  close(path: string, kind: GateKind): void {
    if (this.of(path) !== undefined) return;
    const waiting = new Set<string>();
    for (const [inner, gate] of this.#gates) {
      if (!inner.startsWith(path)) continue;
      for (const file of gate.waiting) waiting.add(file);
      this.#gates.delete(inner);
    }
    this.#gates.set(path, { kind, waiting });
  }

  /** The gate that holds a directory or a file. */
  of(path: string): string | undefined {
    if (this.#gates.size === 0) return undefined;
    for (const gate of this.#gates.keys()) if (path.startsWith(gate)) return gate;
    return undefined;
  }

  kindOf(path: string): GateKind | undefined {
    const gate = this.of(path);
    return gate === undefined ? undefined : this.#gates.get(gate)?.kind;
  }

  /** A gate does not open before this file is finished. */
  waitFor(path: string): void {
    for (const [gate, { waiting }] of this.#gates) if (path.startsWith(gate)) waiting.add(path);
  }

  finished(path: string): void {
    if (this.#gates.size === 0) return;
    for (const { waiting } of this.#gates.values()) waiting.delete(path);
  }

  /** Gates that nothing keeps closed any more. */
  open(): { readonly path: string; readonly kind: GateKind }[] {
    return [...this.#gates].filter(([, { waiting }]) => waiting.size === 0).map(([path, { kind }]) => ({ path, kind }));
  }

  /** What was behind it is published. */
  remove(path: string): void {
    this.#gates.delete(path);
  }
}
