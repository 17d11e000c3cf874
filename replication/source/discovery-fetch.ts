import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib';
import { bytes, type Bytes } from '../../config/units.js';
import type { Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';

/** One request of a walk: it has no content, and redirects are not to be followed. */
export interface DiscoveryRequest {
  readonly method: 'GET' | 'HEAD';
  readonly uri: string;
  /** What it says beside what every request has to say (`Host`). */
  readonly fields: Fields;
}

export interface DiscoveryAnswer {
  readonly status: number;
  readonly fields: Fields;
  /** The walk reads as much of it as it needs, and then lets go of it. */
  readonly body: Body | null;
}

/** How a walk gets what it asks for. Rejects if there is no answer. */
export type DiscoveryFetch = (request: DiscoveryRequest, signal: AbortSignal) => Promise<DiscoveryAnswer>;

/** The content, or its beginning where it is longer; the body is read or let go of in the end. */
export async function readBeginning(body: Body | null, longest: Bytes, signal: AbortSignal): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let length = 0;
  const onAbort = (): void => body.cancel(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (length < longest) {
      signal.throwIfAborted();
      const chunk = await body.read();
      if (chunk === null) return Buffer.concat(chunks);
      chunks.push(chunk);
      length += chunk.length;
    }
    body.cancel();
    return Buffer.concat(chunks).subarray(0, longest);
  } catch (error) {
    body.cancel();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The content without its coding, of which the end may be missing; null if the coding is not known, or what comes of it is too long. */
export function decoded(content: Buffer, coding: string | undefined, longest: Bytes): Buffer | null {
  const limits = { maxOutputLength: longest };
  const torn = { ...limits, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    switch (coding?.trim().toLowerCase() ?? '') {
      case '':
      case 'identity':
        return content;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(content, torn);
      case 'deflate':
        return inflateSync(content, torn);
      case 'br':
        return brotliDecompressSync(content, { ...limits, finishFlush: constants.BROTLI_OPERATION_FLUSH });
      default:
        return null;
    }
  } catch {
    return null;
  }
}

/** As much of a page, of a style sheet, and of robots.txt as is read. */
export const longestContent = bytes(2 * 1024 * 1024);
