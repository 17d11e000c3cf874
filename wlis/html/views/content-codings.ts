import { constants, createBrotliCompress, createBrotliDecompress, createDeflate } from 'node:zlib';
import { createGzip, createInflateRaw } from 'node:zlib';
import type { Transform } from 'node:stream';
import { bytes } from '../../../config/units.js';
import { WillisError } from '../../../proxy/base/errors.js';
import type { Body } from '../../../proxy/http/body.js';
import { BoundedBody } from './bounded-body.js';
import { withoutEnvelope } from './coding-envelope.js';
import { TransformedBody } from './transformed-body.js';
import type { ViewCoding } from './viewable.js';

/**
 * A content without its coding, read as browsers read it: checksums are not compared, what comes behind its end is passed over, and
 * of what ends before its end there is what has come. It breaks with `upstream-malformed` if it is not in that coding, or beyond 128 MiB.
 */
export async function withoutCoding(content: Body, coding: ViewCoding): Promise<Body> {
  if (coding === 'identity') return content;
  if (coding === 'br') {
    const stream = createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    return bounded(new TransformedBody(content, stream, { failure: malformed }));
  }
  const compressed = await withoutEnvelope(content, coding);
  const stream = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
  return bounded(new TransformedBody(compressed, stream, { failure: malformed }));
}

/** Whatever a few hundred bytes may stand for. */
const bounded = (content: Body): Body => new BoundedBody(content, mostUnpacked, tooLong);

const mostUnpacked = bytes(128 * 1024 * 1024);

const tooLong = (): WillisError =>
  new WillisError('upstream-malformed', `without its content coding it is longer than ${mostUnpacked} bytes`);

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

const malformed = (cause: Error): WillisError =>
  new WillisError('upstream-malformed', `its content coding is broken: ${cause.message}`, { cause });

const failed = (cause: Error): WillisError =>
  new WillisError('internal', `it cannot be coded: ${cause.message}`, { cause });
