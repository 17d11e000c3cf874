import { WillisError } from '../../proxy/base/errors.js';
import type { Namespace } from '../namespace.js';
import { hostOfName, type LogicalName } from './logical-name.js';
import { resolveName, type NameSource } from './name-resolution.js';
import type { OwnNames } from './own-names.js';

/** What a name stands for. */
export interface NamedPlace {
  /** Of a host that is no name; it ends in `/`. */
  readonly base: Namespace;
  /** What was given the name, in which that is. */
  readonly namespace: Namespace;
  /** Under which it is listed: itself, or a wildcard. */
  readonly pattern: string;
  /** Who has given it: `wlis.names`, or a key. */
  readonly by: string;
}

/** All names that count at this node: its operator's before those that others have signed. */
export class LogicalNames {
  /** @param signed those whose word counts, the first one most; asked anew for each name, as they learn all the time */
  constructor(
    private readonly own: OwnNames,
    private readonly signed: () => readonly NameSource[] = () => [],
  ) {}

  /** @throws WillisError name-unknown, which says what is known; name-circle */
  find(name: LogicalName): NamedPlace {
    const found = resolveName(name, [this.own, ...this.signed()]);
    switch (found.kind) {
      case 'found':
        return found;
      case 'unknown':
        throw this.unknown(
          found.host === hostOfName(name) ? found.host : `${hostOfName(name)} leads to ${found.host}, which`,
        );
      case 'circle':
      case 'too-long':
        throw new WillisError('name-circle', `${hostOfName(name)}: ${found.names.join(' → ')}`);
    }
  }

  /** @param subject what begins the sentence */
  unknown(subject: string): WillisError {
    const known = this.own.all.slice(0, mostTold).map(([pattern]) => `${pattern}.wlis`);
    const others = this.own.all.length > mostTold ? ', and others' : '';
    const told = known.length === 0 ? 'it has no names of its own' : `its own names are ${known.join(', ')}${others}`;
    return new WillisError('name-unknown', `${subject} is not known to this node: ${told}`);
  }
}

const mostTold = 10;
