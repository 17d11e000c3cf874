import { lowerCaseName } from '../http/field-names.js';
import type { Fields } from '../http/fields.js';
import type { TargetUri } from '../http/target-uri.js';
import { varyNames } from './vary.js';

/** What a request is about by its request line and `Host`, which is what it is stored under. */
export interface Addressed {
  readonly method: string;
  readonly target: TargetUri;
}

/**
 * Whether a request says, in a field that many frameworks and servers obey, that it is about something else than its
 * target URI and method: its answer is then none for those who ask for the target, unless `Vary` nominates the field
 * ("web cache poisoning").
 *
 * On behalf of an origin server (`actsForOrigin`) this node writes X-Forwarded-* itself, and believes trusted peers.
 *
 * @param sent the fields of the request as they were forwarded
 */
export function isOverridden(sent: Fields, request: Addressed, actsForOrigin: boolean, answer: Fields): boolean {
  let nominated: ReturnType<typeof varyNames> | undefined;
  const { lines } = sent;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lowerCaseName(lines[i] as string);
    if (!overrides.has(name) && (actsForOrigin || !forwardedOverrides.has(name))) continue;
    if (sent.get(name)?.toLowerCase() === ownValue(name, request)?.toLowerCase()) continue;
    nominated ??= varyNames(answer);
    if (nominated === '*' || !nominated.includes(name)) return true;
  }
  return false;
}

/** What such a field says where it contradicts nothing; undefined if there is no such value. */
function ownValue(name: string, { method, target }: Addressed): string | undefined {
  if (name.includes('method')) return method;
  if (name.endsWith('-url')) return target.path;
  if (name.endsWith('-host')) return target.authority;
  if (name.endsWith('-port')) return String(target.port);
  return name.endsWith('-proto') || name.endsWith('-scheme') ? target.scheme : undefined;
}

const overrides: ReadonlySet<string> = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-host',
  'x-original-host',
]);

const forwardedOverrides: ReadonlySet<string> = new Set([
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-forwarded-server',
]);
