import { constants, createBrotliCompress, createBrotliDecompress, createDeflate, createGunzip } from 'node:zlib';
import { createGzip, createInflate, createInflateRaw } from 'node:zlib';
import type { Transform } from 'node:stream';
import { WillisError } from '../../proxy/base/errors.js';
import type { Body } from '../../proxy/http/body.js';
import { TransformedBody } from './transformed-body.js';
import type { ViewCoding } from './viewable.js';

/** A content without its coding; it breaks with `upstream-malformed` if it is not in that coding, or ends before its end. */
export async function withoutCoding(content: Body, coding: ViewCoding): Promise<Body> {
  if (coding === 'identity') return content;
  if (coding === 'br') return new TransformedBody(content, createBrotliDecompress(), { failure: malformed });
  if (coding === 'gzip') return new TransformedBody(content, createGunzip(), { failure: malformed, isEnd: isNoMember });
  const begun = new BegunBody(content);
  const first = await begun.first();
  return new TransformedBody(begun, isZlib(first) ? createInflate() : createInflateRaw(), { failure: malformed });
}

/**
 * A content in that coding. Where it comes slowly what has come goes on, so that a browser can show it; in how many pieces the coded
 * bytes are is left to chance then, which no entity-tag of a view tells, as no part of one is ever asked for.
 */
export function inCoding(content: Body, coding: ViewCoding): Body {
  if (coding === 'identity') return content;
  const stream = redoing[coding]();
  const kind = coding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH;
  return new TransformedBody(content, stream, { failure: failed, flush: () => stream.flush(kind) });
}

/** About what servers use for what they make by request; a view is made once for many, but somebody waits for it. */
const redoing = {
  gzip: () => createGzip({ level: 6 }),
  deflate: () => createDeflate({ level: 6 }),
  br: () =>
    createBrotliCompress({
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 5,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        // a window of 1 MiB: pages are seldom longer, and it has to be had for each of many at once
        [constants.BROTLI_PARAM_LGWIN]: 20,
      },
    }),
} as const satisfies Record<string, () => Transform>;

/** Many send what they call `deflate` without the envelope of RFC 1950 (RFC 9110 §8.4.1.2). */
function isZlib(first: Buffer | null): boolean {
  if (first === null || first.length === 0) return true;
  const [cmf = 0, flags] = first;
  return (cmf & 0x0f) === 8 && (flags === undefined || (cmf * 256 + flags) % 31 === 0);
}

/** A body of which somebody has had a look at the first chunk. */
class BegunBody implements Body {
  #first: Buffer | null = null;

  constructor(private readonly rest: Body) {}

  get length(): Body['length'] {
    return this.rest.length;
  }

  get trailers(): Body['trailers'] {
    return this.rest.trailers;
  }

  async first(): Promise<Buffer | null> {
    return (this.#first = await this.rest.read());
  }

  read(): ReturnType<Body['read']> {
    const first = this.#first;
    this.#first = null;
    return first ?? this.rest.read();
  }

  cancel(reason?: Error): void {
    this.#first = null;
    this.rest.cancel(reason);
  }
}

/** Behind a member of gzip another one may come (RFC 1952 §2.2); anything else there is passed over, as browsers do. */
const isNoMember = (cause: Error): boolean => cause.message === 'incorrect header check';

const malformed = (cause: Error): WillisError =>
  new WillisError('upstream-malformed', `its content coding is broken: ${cause.message}`, { cause });

const failed = (cause: Error): WillisError =>
  new WillisError('internal', `it cannot be coded: ${cause.message}`, { cause });
