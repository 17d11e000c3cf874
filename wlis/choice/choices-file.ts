import { randomBytes } from 'node:crypto';
import { bytes, milliseconds, type Milliseconds } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import { readRemembered, RememberedFile } from '../remembered-file.js';
import { fromBase64url, toBase64url } from '../trust/base64url.js';
import { canonicalJson, parseCanonicalJson, type Json } from '../trust/canonical-json.js';
import { Members } from '../trust/members.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { ReaderChoice, ReaderChoices } from './reader-choices.js';

export interface ChoicesFileOptions {
  readonly path: string;
  readonly choices: ReaderChoices;
  readonly logger: Logger;
  /** How often it is looked whether anything has changed, which is then written. */
  readonly every?: Milliseconds;
}

interface Content {
  /** By which forms of this node are known. */
  readonly secret: Buffer;
  readonly choices: readonly ReaderChoice[];
}

/**
 * Remembers what readers have chosen beyond the life of the node, and the secret by which their forms are known. What cannot
 * be read counts as nothing: readers see whom their pages come from, and choose again.
 */
export class ChoicesFile {
  readonly secret: Buffer;
  readonly #choices: ReaderChoices;
  readonly #file: RememberedFile;
  #found: readonly ReaderChoice[];

  private constructor(options: ChoicesFileOptions, { secret, choices: found }: Content, isNew: boolean) {
    const { path, choices, logger, every = usually } = options;
    const failed = 'what readers have chosen could not be written down';
    this.secret = secret;
    this.#choices = choices;
    this.#found = found;
    this.#file = new RememberedFile({
      path,
      every,
      // a new secret is written before the first choice: forms are out with it
      isNew,
      changes: () => choices.changes,
      text: () => choicesText({ secret, choices: [...choices.all()] }),
      onFailure: (error) => logger.warn({ code: 'choices-not-remembered', path, error }, failed),
    });
  }

  /** Reads the file. */
  static async open(options: ChoicesFileOptions): Promise<ChoicesFile> {
    const { path, logger } = options;
    try {
      const text = await readRemembered(path, longest, what);
      return text === null
        ? new ChoicesFile(options, nothing(), true)
        : new ChoicesFile(options, parseChoices(text), false);
    } catch (error) {
      logger.warn({ code: 'choices-forgotten', path, error }, 'what readers have chosen cannot be read');
      // what may be mended by hand is left as it is until there is something to write
      return new ChoicesFile(options, nothing(), false);
    }
  }

  /** Takes over what was read, but for what has been chosen since, and writes from now on what changes. */
  begin(): void {
    const choices = this.#choices;
    for (const choice of this.#found) {
      if (choices.of(choice.client, choice.part) === null) choices.choose(choice);
    }
    if (this.#found.length > 0 && choices.size === this.#found.length) this.#file.takenOver();
    this.#found = [];
    this.#file.begin();
  }

  /** Writes what has changed, if anything has. */
  write(): Promise<void> {
    return this.#file.write();
  }

  /** Writes for the last time. Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

const nothing = (): Content => ({ secret: randomBytes(secretSize), choices: [] });

const choicesText = ({ secret, choices }: Content): string => {
  const all = choices.filter(isReadable).map(({ client, part, from }) => ({ client, part, from }));
  return `${canonicalJson({ kind, secret: toBase64url(secret), choices: all })}\n`;
};

/** @throws NotBelieved for what `choicesText` does not write */
function parseChoices(text: string): Content {
  const members = new Members(parseCanonicalJson(text.replace(/\n$/, ''), what, longest), what);
  members.word('kind', kind);
  const secret = fromBase64url(members.text('secret', 64));
  if (secret?.length !== secretSize) throw new NotBelieved('malformed', `${what}: no secret`);
  const choices = members.list('choices', mostChoices).map(parseChoice);
  members.end();
  return { secret: Buffer.from(secret), choices };
}

function parseChoice(value: Json): ReaderChoice {
  const members = new Members(value, `${what}: choice`);
  const choice = {
    client: members.text('client', longestClient),
    part: members.text('part', longestPart),
    from: members.text('from', longestFrom),
  };
  members.end();
  return choice;
}

/** One that is longer, which only an odd site can have, must not make all others unreadable. */
const isReadable = ({ client, part, from }: ReaderChoice): boolean =>
  client.length <= longestClient && part.length <= longestPart && from.length <= longestFrom;

const what = 'remembered choices';
const kind = 'choices/1';
const longestClient = 64;
const longestPart = 4096;
const longestFrom = 512;
const secretSize = 32;
/** Whatever is chosen between two of them, one is written. */
const usually = milliseconds(1000);
const longest = bytes(67_108_864);
const mostChoices = 65_536;
