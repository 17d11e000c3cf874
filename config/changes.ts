import { formatPath, type Path } from './json-schema.js';
import { asWritten, type Config } from './schema.js';

/** A key whose value differs between two configurations. */
export interface ConfigChange {
  /** As in `sites[0].origin`. */
  readonly key: string;
  /** As an operator would write it, without credentials; undefined where the key is not there. */
  readonly from: unknown;
  readonly to: unknown;
}

/** What differs between two configurations, key by key, in the order of the table. */
export const configChanges = (from: Config, to: Config): ConfigChange[] =>
  differences([], asWritten(from), asWritten(to));

function differences(path: Path, from: unknown, to: unknown): ConfigChange[] {
  if (isMap(from) && isMap(to)) {
    const keys = [...Object.keys(from), ...Object.keys(to).filter((key) => !Object.hasOwn(from, key))];
    return keys.flatMap((key) => differences([...path, key], from[key], to[key]));
  }
  if (isListOfMaps(from) && isListOfMaps(to)) {
    const longer = from.length > to.length ? from : to;
    return longer.flatMap((_, index) => differences([...path, index], from[index], to[index]));
  }
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  return [{ key: formatPath(path), from: withoutCredentials(from), to: withoutCredentials(to) }];
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isListOfMaps = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.some(isMap);

/** Secrets stand in files, but for what somebody may have put into a URL. */
function withoutCredentials(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\/\/[^/@]*@/, '//…@');
  if (Array.isArray(value)) return value.map(withoutCredentials);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutCredentials(inner)]));
}
