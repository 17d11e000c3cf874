import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { parseFieldLines } from '../../proxy/http/field-lines.js';
import { Fields } from '../../proxy/http/fields.js';
import { fromBase64url } from '../../wlis/trust/base64url.js';
import { digestFrom, type Digest } from '../../wlis/trust/digest.js';
import { parseEpoch, type Epoch, type Version } from '../../wlis/trust/epoch.js';
import { NotBelieved, quoted } from '../../wlis/trust/not-believed.js';
import { digestOf } from '../content-hash.js';
import type { BundledContent } from '../remote-holder.js';
import { LONGEST_BUNDLED, LONGEST_BUNDLED_HEAD } from './bundle-format.js';

/** A content out of a bundle, which has the digest that is said of it. */
export interface BundledPart extends BundledContent {
  /** Of `seq`; the same in all parts of a bundle. */
  readonly epoch: Epoch;
}

/** The boundary in the Content-Type of a bundle. @throws NotBelieved malformed for anything but `multipart/mixed` with one */
export function bundleBoundary(contentType: string | undefined): string {
  const [, plain, inQuotes] =
    /^multipart\/mixed[ \t]*;[ \t]*boundary=(?:([\w-]{1,70})|"([\w-]{1,70})")$/i.exec(contentType ?? '') ?? [];
  const boundary = plain ?? inQuotes;
  if (boundary !== undefined) return boundary;
  throw new NotBelieved('malformed', `bundle: Content-Type is ${quoted(contentType ?? '')}`);
}

/**
 * Reads a bundle while it arrives (`bundle-format.ts`): strict, and holding at most one part. A content is given only once it
 * is whole and has its digest; without its end the bundle is refused (`end`), though what was given is true.
 */
export class BundleParser {
  readonly #delimiter: string;
  readonly #most: Bytes;
  readonly #held = Buffer.allocUnsafe(LONGEST_BUNDLED + 2);
  #from = 0;
  #to = 0;
  /** How far it is known that the end of a section has not come. */
  #seen = 0;
  #taken = 0;
  #state: 'delimiter' | 'part' | 'response' | 'content' | 'over' = 'delimiter';
  #head: ResponseHead = { length: 0, digest: '' as Digest, upTo: { epoch: '' as Epoch, seq: 0 } };
  #before: Version | null = null;

  /** @param maxBytes what was asked for: more is refused */
  constructor(boundary: string, maxBytes: Bytes) {
    this.#delimiter = `--${boundary}`;
    this.#most = maxBytes;
  }

  /**
   * Takes the bytes that follow, and gives the contents that they complete. Not to be called again after it threw.
   * @throws NotBelieved malformed, too-large, wrong-digest
   */
  *take(chunk: Buffer): Generator<BundledPart> {
    this.#taken += chunk.length;
    if (this.#taken > this.#most) throw new NotBelieved('too-large', `bundle: more than ${this.#most} bytes`);
    for (let at = 0; at < chunk.length;) {
      at += this.#hold(chunk, at);
      for (let part = this.#step(); part !== null; part = this.#step()) if (part !== 'framing') yield part;
    }
  }

  /** @throws NotBelieved malformed if it is not whole */
  end(): void {
    if (this.#state !== 'over') throw new NotBelieved('malformed', `bundle: ends before its end, in a ${this.#state}`);
  }

  /** What there is room for; there is some as long as all steps are taken. */
  #hold(chunk: Buffer, at: number): number {
    if (this.#from > 0) {
      this.#held.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#seen -= this.#from;
      this.#from = 0;
    }
    const size = chunk.copy(this.#held, this.#to, at);
    this.#to += size;
    return size;
  }

  /** Null: more bytes are needed. */
  #step(): BundledPart | 'framing' | null {
    switch (this.#state) {
      case 'delimiter':
        return this.#readDelimiter();
      case 'part': {
        const head = this.#section('\r\n\r\n', LONGEST_BUNDLED_HEAD);
        if (head === null) return null;
        checkPartHead(head);
        return this.#goOn('response');
      }
      case 'response': {
        const head = this.#section('\r\n\r\n', LONGEST_BUNDLED_HEAD);
        if (head === null) return null;
        this.#head = parseResponseHead(head);
        this.#checkOrder(this.#head.upTo);
        return this.#goOn('content');
      }
      case 'content':
        return this.#readContent();
      case 'over':
        if (this.#to > this.#from) throw malformed('bytes behind its end');
        return null;
    }
  }

  #readDelimiter(): 'framing' | null {
    const line = this.#section('\r\n', bytes(this.#delimiter.length + 4));
    if (line === null) return null;
    if (line === `${this.#delimiter}\r\n`) return this.#goOn('part');
    if (line === `${this.#delimiter}--\r\n`) return this.#goOn('over');
    throw malformed(`${quoted(line)} in the place of its boundary`);
  }

  #readContent(): BundledPart | null {
    const { length, digest, upTo } = this.#head;
    if (this.#to - this.#from < length + 2) return null;
    const end = this.#from + length;
    const content = Buffer.from(this.#held.subarray(this.#from, end));
    if (this.#held.toString('latin1', end, end + 2) !== '\r\n') throw malformed('a part is longer than it says');
    if (digestOf(content) !== digest) throw new NotBelieved('wrong-digest', `bundle: a content is not ${digest}`);
    this.#from = end + 2;
    this.#goOn('delimiter');
    return { digest, content, ...upTo };
  }

  /** The text up to and with what ends it; null while that has not come. */
  #section(ending: string, most: Bytes): string | null {
    const searchFrom = Math.max(this.#from, this.#seen - ending.length + 1);
    const at = this.#held.subarray(0, this.#to).indexOf(ending, searchFrom, 'latin1');
    const length = (at === -1 ? this.#to : at + ending.length) - this.#from;
    if (length > most) throw new NotBelieved('too-large', `bundle: a head or line of more than ${most} bytes`);
    this.#seen = this.#to;
    if (at === -1) return null;
    const text = this.#held.toString('latin1', this.#from, this.#from + length);
    this.#from += length;
    return text;
  }

  #goOn(state: 'delimiter' | 'part' | 'response' | 'content' | 'over'): 'framing' {
    this.#state = state;
    this.#seen = this.#from;
    return 'framing';
  }

  #checkOrder(upTo: Version): void {
    const before = this.#before;
    if (before !== null && (before.epoch !== upTo.epoch || before.seq > upTo.seq)) {
      throw malformed(`${upTo.epoch}.${upTo.seq} comes after ${before.epoch}.${before.seq}`);
    }
    this.#before = upTo;
  }
}

interface ResponseHead {
  readonly length: number;
  readonly digest: Digest;
  readonly upTo: Version;
}

function checkPartHead(text: string): void {
  const { lines } = fieldsOf(text, 0);
  const isMedium = /^application\/http[ \t]*;[ \t]*msgtype="?response"?$/i.test(lines[1] ?? '');
  if (lines.length !== 2 || lines[0]?.toLowerCase() !== 'content-type' || !isMedium) {
    throw malformed('a part is not of the type application/http;msgtype=response');
  }
}

function parseResponseHead(text: string): ResponseHead {
  const statusLine = /^HTTP\/1\.1 200 [\t\x20-\x7e]*\r\n/.exec(text)?.[0];
  if (statusLine === undefined) throw malformed(`a part begins with ${quoted(text.slice(0, text.indexOf('\r')))}`);
  const fields = fieldsOf(text, statusLine.length);
  if (fields.has('transfer-encoding')) throw malformed('a part with Transfer-Encoding');
  const [, length = ''] = only(fields, 'content-length', /^(0|[1-9]\d{0,14})$/);
  if (Number(length) > LONGEST_BUNDLED) throw new NotBelieved('too-large', `bundle: a content of ${length} bytes`);
  const [, digest = ''] = only(fields, 'repr-digest', /^sha-256=:([A-Za-z0-9+/]{43})=:$/);
  const [, seq = '', epoch = ''] = only(fields, 'wlis-seq', /^(0|[1-9]\d{0,14});epoch="([0-9a-f-]{1,40})"$/);
  return {
    length: Number(length),
    digest: digestIn(digest),
    upTo: { epoch: parseEpoch(epoch, 'bundle'), seq: Number(seq) },
  };
}

function digestIn(base64: string): Digest {
  const data = fromBase64url(base64.replaceAll('+', '-').replaceAll('/', '_'));
  if (data === null) throw malformed(`Repr-Digest ${quoted(base64)}`);
  return digestFrom(data);
}

function fieldsOf(text: string, from: number): Fields {
  try {
    return new Fields(parseFieldLines(text.slice(0, -2), from, mostLines));
  } catch (cause) {
    if (!(cause instanceof WillisError)) throw cause;
    throw new NotBelieved('malformed', `bundle: ${cause.message}`, { cause });
  }
}

function only(fields: Fields, name: string, form: RegExp): RegExpExecArray {
  const values = fields.all(name);
  const match = values.length === 1 ? form.exec(values[0] as string) : null;
  if (match !== null) return match;
  throw malformed(values.length === 1 ? `${name} ${quoted(values[0] as string)}` : `${values.length} lines of ${name}`);
}

const malformed = (what: string): NotBelieved => new NotBelieved('malformed', `bundle: ${what}`);

const mostLines = 64;
