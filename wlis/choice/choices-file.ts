import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import { replaceFile } from '../../proxy/base/replaced-file.js';
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
  readonly #options: ChoicesFileOptions;
  #found: readonly ReaderChoice[];
  #timer: NodeJS.Timeout | undefined;
  #written: number;
  /** What was begun last, so that one is written after the other. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(options: ChoicesFileOptions, { secret, choices }: Content) {
    this.#options = options;
    this.secret = secret;
    this.#found = choices;
    this.#written = options.choices.changes;
  }

  /** Reads the file. */
  static async open(options: ChoicesFileOptions): Promise<ChoicesFile> {
    const { path, logger } = options;
    try {
      const { size } = await stat(path);
      if (size > longest) throw new NotBelieved('too-large', `remembered choices: more than ${longest} bytes`);
      return new ChoicesFile(options, parseChoices(await readFile(path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        logger.warn({ code: 'choices-forgotten', path, error }, 'what readers have chosen cannot be read');
      }
      return new ChoicesFile(options, { secret: randomBytes(secretSize), choices: [] });
    }
  }

  /** Takes over what was read, but for what has been chosen since, and writes from now on what changes. */
  begin(): void {
    const { choices, every = usually } = this.#options;
    for (const choice of this.#found) {
      if (choices.of(choice.client, choice.part) === null) choices.choose(choice);
    }
    if (this.#found.length > 0 && choices.size === this.#found.length) this.#written = choices.changes;
    this.#found = [];
    this.#timer = setInterval(() => void this.write(), every).unref();
  }

  /** Writes what has changed, if anything has. */
  write(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#write());
    return this.#turn;
  }

  /** Writes for the last time. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  async #write(): Promise<void> {
    const { path, choices, logger } = this.#options;
    const { changes } = choices;
    if (changes === this.#written) return;
    try {
      await replaceFile(path, choicesText({ secret: this.secret, choices: [...choices.all()] }));
      this.#written = changes;
    } catch (error) {
      logger.warn(
        { code: 'choices-not-remembered', path, error },
        'what readers have chosen could not be written down',
      );
    }
  }
}

const choicesText = ({ secret, choices }: Content): string => {
  const all = choices.filter(isReadable).map(({ client, part, from }) => ({ client, part, from }));
  return `${canonicalJson({ kind, secret: toBase64url(secret), choices: all })}\n`;
};

/** @throws NotBelieved for what `choicesText` does not write */
function parseChoices(text: string): Content {
  const what = 'remembered choices';
  const members = new Members(parseCanonicalJson(text.replace(/\n$/, ''), what, longest), what);
  members.word('kind', kind);
  const secret = fromBase64url(members.text('secret', 64));
  if (secret?.length !== secretSize) throw new NotBelieved('malformed', `${what}: no secret`);
  const choices = members.list('choices', mostChoices).map(parseChoice);
  members.end();
  return { secret: Buffer.from(secret), choices };
}

function parseChoice(value: Json): ReaderChoice {
  const members = new Members(value, 'remembered choices: choice');
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

const kind = 'choices/1';
const longestClient = 64;
const longestPart = 4096;
const longestFrom = 512;
const secretSize = 32;
/** Whatever is chosen between two of them, one is written. */
const usually = milliseconds(1000);
const longest = 67_108_864;
const mostChoices = 65_536;
