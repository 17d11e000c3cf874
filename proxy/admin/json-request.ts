import { bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { readAll } from '../http/body.js';
import type { Request } from '../http/message.js';

const longest = bytes(64 * 1024);

/**
 * The members of the JSON object that a request has as its content; none where it has no content.
 * @throws WillisError content-too-large, media-type, bad-request
 */
export async function readMembers(request: Request): Promise<Members> {
  const { body, fields } = request;
  if (body === null || body.length === 0) return new Members({});
  if (body.length !== null && body.length > longest) throw tooLarge();
  const type = fields.get('content-type');
  if (type === undefined || !/^application\/json *(?:; *charset="?utf-8"?)?$/i.test(type)) {
    throw new WillisError('media-type', `application/json was expected, not ${type ?? 'content without a type'}`);
  }
  const content = await readAll(body, longest).catch((error: unknown) => {
    throw error instanceof RangeError ? tooLarge() : error;
  });
  return new Members(parse(content));
}

/** The members of one JSON object, to be taken one by one; what is left in the end was not expected. */
export class Members {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #known = new Set<string>();

  constructor(object: Readonly<Record<string, unknown>>) {
    this.#values = new Map(Object.entries(object));
  }

  has(name: string): boolean {
    return this.#take(name) !== undefined;
  }

  /** Undefined if there is none. */
  string(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(name, 'a string', value);
  }

  boolean(name: string): boolean | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw wrong(name, 'true or false', value);
  }

  /** A list of pairs of strings; empty if there is none. */
  pairs(name: string): [string, string][] {
    const value = this.#take(name) ?? [];
    const isPair = (one: unknown): one is [string, string] =>
      Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string');
    if (Array.isArray(value) && value.every(isPair)) return value;
    throw wrong(name, 'a list of pairs [name, value]', value);
  }

  /** @throws WillisError for a member that nobody has asked for */
  end(): void {
    const unknown = [...this.#values.keys()].filter((name) => !this.#known.has(name));
    if (unknown.length === 0) return;
    const expected = this.#known.size === 0 ? 'there are none' : `known are ${[...this.#known].join(', ')}`;
    throw bad(`there is no member ${unknown.map((name) => JSON.stringify(name)).join(', ')}; ${expected}`);
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#values.get(name);
  }
}

function parse(content: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (error) {
    throw bad(`the content is not JSON in UTF-8: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(`the content is ${shown(value)}; an object was expected`);
}

const tooLarge = (): WillisError => new WillisError('content-too-large', `at most ${longest} bytes are taken`);
const bad = (reason: string): WillisError => new WillisError('bad-request', reason);
const wrong = (name: string, expected: string, value: unknown): WillisError =>
  bad(`${name}: expected ${expected}, got ${shown(value)}`);

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
