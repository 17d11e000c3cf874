import type { EpochMs } from '../../config/units.js';
import { giveName, namingKey } from '../../replication/keys/naming.js';
import type { Namespace } from '../../wlis/namespace.js';
import { isListedName, isOwnName, ownLabel } from '../../wlis/trust/name-statement.js';
import { parseKeyId, type KeyId } from '../../wlis/trust/public-key.js';
import type { Console, ExitCode } from './console.js';
import { lifetime, namespaceOf, Refused, withKeys, type KeysOptions } from './with-keys.js';

export interface NameOptions extends KeysOptions {
  readonly days?: string;
  /** Which of several naming keys. */
  readonly key?: string;
  /** Below the name that the key gives by its own right. */
  readonly own?: boolean;
  readonly remove?: boolean;
}

/** `willis keys name`: signs what a name stands for. */
export const nameNamespace = (
  given: string,
  uri: string | undefined,
  options: NameOptions,
  console: Console,
  now: EpochMs,
): Promise<ExitCode> =>
  withKeys(options, console, async (directory, data) => {
    const namespace = namedBy(uri, options.remove === true);
    const days = lifetime(options.days);
    const wanted = options.key === undefined ? null : parseKeyId(options.key, '--key');
    checkName(given);
    const key = await namingKey(directory, wanted);
    const name = options.own === true ? `${given}.${ownLabel(key.id)}` : given;
    checkName(name);
    const { statement, path } = await giveName(data, key, { name, namespace, now, lifetime: days });
    const until = new Date(statement.expires).toISOString();
    const what = namespace === null ? 'stands for nothing any more' : `stands for ${namespace} until ${until}`;
    console.err(`${name}.wlis ${what}, by the word of ${key.id}.\n`);
    console.err(`${path} says so to whoever asks the directory of this node.\n`);
    console.err(believedBy(name, key.id));
  });

/** @throws Refused */
function namedBy(uri: string | undefined, isRemoved: boolean): Namespace | null {
  if (isRemoved && uri !== undefined) throw new Refused('--remove takes no namespace');
  if (isRemoved) return null;
  if (uri === undefined) throw new Refused('say which namespace it stands for, or --remove');
  return namespaceOf(uri);
}

/** @throws Refused */
function checkName(name: string): void {
  if (isListedName(name)) return;
  throw new Refused(
    `${JSON.stringify(name)} is no name: expected labels as of a host in lower case, or '*.' and labels`,
  );
}

const believedBy = (name: string, id: KeyId): string =>
  isOwnName(id, name)
    ? 'It certifies itself: everybody believes it.\n'
    : `It is believed where wlis.trust.names has ${id}\n`;
