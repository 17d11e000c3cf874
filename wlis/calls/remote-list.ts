import { TextDecoder } from 'node:util';
import type { Bytes } from '../../config/units.js';
import type { Body } from '../../proxy/http/body.js';
import { NotBelieved } from '../trust/not-believed.js';
import { ListReader, type ListTail } from '../trust/record-list.js';

export interface ListLimits {
  /** In characters. */
  readonly longestLine: number;
  readonly mostLines: number;
  readonly mostBytes: Bytes;
}

/**
 * Reads a list while it arrives, to its end, and holds one line of it at most. When it is refused, or `onLine` throws, the
 * rest is not read.
 * @throws NotBelieved malformed, too-large
 */
export async function readList(body: Body, limits: ListLimits, onLine: (line: string) => void): Promise<ListTail> {
  const { longestLine, mostLines, mostBytes } = limits;
  const reader = new ListReader(longestLine);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let lines = 0;
  let size = 0;
  try {
    for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
      size += chunk.length;
      if (size > mostBytes) throw new NotBelieved('too-large', `list: more than ${mostBytes} bytes`);
      for (const line of reader.take(decoded(decoder, chunk))) {
        if (++lines > mostLines) throw new NotBelieved('too-large', `list: more than ${mostLines} lines`);
        onLine(line);
      }
    }
    return reader.end();
  } catch (error) {
    body.cancel();
    throw error;
  }
}

function decoded(decoder: TextDecoder, chunk: Buffer): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new NotBelieved('malformed', 'list: no UTF-8', { cause });
  }
}
