import { resources, slotOf, type Resource } from './resource.js';

/** A request under way: what was known when it was sent. */
export interface Asked {
  readonly floor: number;
  readonly disturbances: number;
  readonly at: number;
}

/**
 * What a node may answer. An acknowledged purge or invalidation sets the oldest version that may be given for its paths from
 * then on; an answer that came out of the store is in the store, until something takes it away.
 */
export class Truth {
  readonly #floors = new Map<string, number>();
  /** How often something began or ended that takes a path out of the store. */
  readonly #disturbances = new Map<string, number>();
  /** Representations that are stored for good, with their versions. */
  readonly #lasting = new Map<string, number>();

  ask({ path }: Resource): Asked {
    const disturbances = this.#disturbances.get(path) ?? 0;
    return { floor: this.#floors.get(path) ?? 0, disturbances, at: performance.now() };
  }

  /** Something that takes these out of the store is asked for. */
  disturb(paths: Iterable<string>): void {
    for (const path of paths) {
      this.#disturbances.set(path, (this.#disturbances.get(path) ?? 0) + 1);
      this.#forget(path);
    }
  }

  /** It was acknowledged: older versions than these are not given any more. */
  acknowledge(versions: Iterable<readonly [path: string, version: number]>): void {
    for (const [path, version] of versions) {
      this.disturb([path]);
      this.#floors.set(path, Math.max(version, this.#floors.get(path) ?? 0));
    }
  }

  /** An answer came out of the store, unless it was disturbed meanwhile. */
  found(resource: Resource, language: string, version: number, asked: Asked): void {
    if (asked.disturbances === (this.#disturbances.get(resource.path) ?? 0))
      this.#lasting.set(slotOf(resource, language), version);
  }

  /** The version that is stored for good, if one is. */
  lasting(resource: Resource, language: string): number | undefined {
    return this.#lasting.get(slotOf(resource, language));
  }

  get countOfLasting(): number {
    return this.#lasting.size;
  }

  /** Nothing need be there any more. */
  forgetLasting(): void {
    this.#lasting.clear();
  }

  #forget(path: string): void {
    for (const resource of resources) {
      if (resource.path !== path) continue;
      for (const language of resource.languages) this.#lasting.delete(slotOf(resource, language));
    }
  }
}
