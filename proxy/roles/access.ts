import type { Config } from '../../config/schema.js';
import { AccessPolicy } from '../access/access-policy.js';
import { Authenticator } from '../access/authenticator.js';
import { parseUsers } from '../access/users-file.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { FileContents } from './file-contents.js';

/** Who may do what under a configuration, and how people show who they are. */
export interface Access {
  readonly policy: AccessPolicy;
  readonly authenticator: Authenticator | null;
  /** Everything that the authenticator was made from. */
  readonly madeFrom: string;
}

export interface AccessOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly before: Access | null;
}

/** What a configuration asks for. Who has logged in stays logged in, if nothing about users has changed. */
export function accessFor(config: Config, files: FileContents, options: AccessOptions): Access {
  const { usersFile, realm } = config.access.authentication;
  const { clientPrefix: prefix } = config.limits;
  const text = usersFile === null ? null : files.text(usersFile);
  const madeFrom = JSON.stringify([text, realm, prefix]);
  const { logger, clock, before } = options;
  let authenticator = before?.madeFrom === madeFrom ? before.authenticator : null;
  if (text !== null && authenticator === null) {
    const read = parseUsers(text);
    if ('faults' in read) throw new Error('the users file was not checked');
    authenticator = new Authenticator({ users: read.users, realm, prefix, clock, logger });
  }
  return { policy: new AccessPolicy(config.access, authenticator), authenticator, madeFrom };
}
