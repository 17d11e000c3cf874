import { bytes, type Bytes } from '../../../config/units.js';
import { uriOfKey } from '../../../proxy/cache/cache-key.js';
import type { ResponseStore } from '../../../proxy/cache/response-store.js';
import { ordinary, type ClassUsage, type Retention, type RetentionClass } from '../../../proxy/cache/retention.js';

export interface Kept {
  readonly pinned?: boolean;
  readonly maxBytes?: number | Bytes;
}

/** What lies under paths of the examples is kept so; a class has the name of its path. */
export function keeping(paths: Readonly<Record<string, Kept>>): Retention {
  const classes: readonly RetentionClass[] = Object.entries(paths).map(([name, { pinned = false, maxBytes }]) => ({
    ...{ name, pinned },
    maxBytes: maxBytes === undefined ? null : bytes(maxBytes),
  }));
  return {
    classes,
    classOf: (key) => classes.find(({ name }) => uriOfKey(key).startsWith(`http://example.com${name}`)) ?? ordinary,
    identity: JSON.stringify(classes.map(({ name }) => name)),
  };
}

/** What a store has of the class with a name. */
export function ofClass(store: ResponseStore, name: string): ClassUsage {
  const found = store.classes().find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no class ${name}`);
  return found;
}

/** What all classes of a store come to. */
export const inAll = (store: ResponseStore): { responses: number; bytes: number } => ({
  responses: store.classes().reduce((sum, one) => sum + one.responses, 0),
  bytes: store.classes().reduce((sum, one) => sum + one.bytes, 0),
});
