import { randomBytes } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { bytes, type Bytes } from '../config/units.js';
import { chainIn, encodeFrame, firstChain } from './log-frames.js';
import { idSize, type LogPlace } from './log-mark.js';

/** The process has its turn after so many bytes. */
const writtenAtOnce = 256 * 1024;

/** Writes a whole new log, durable but for its name, in the place of the one before. */
export async function writeLog(
  path: string,
  kind: string,
  payloads: Iterable<Buffer>,
): Promise<{ readonly file: FileHandle; readonly at: LogPlace }> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, 'wx+', 0o600);
  try {
    const id = randomBytes(idSize);
    let frame = encodeFrame(firstChain(kind), { payload: id, continues: false });
    let end = await writeAll(file, [frame], bytes(0));
    let batch: Buffer[] = [];
    let size = 0;
    for (const payload of payloads) {
      frame = encodeFrame(chainIn(frame), { payload, continues: false });
      batch.push(frame);
      size += frame.length;
      if (size < writtenAtOnce) continue;
      end = await writeAll(file, batch, end);
      [batch, size] = [[], 0];
    }
    end = await writeAll(file, batch, end);
    await file.sync();
    await rename(temporary, path);
    return { file, at: { id, end, chain: Buffer.from(chainIn(frame)) } };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Writes all of it, beginning at that place, and gives the end. */
export async function writeAll(file: FileHandle, chunks: readonly Buffer[], at: Bytes): Promise<Bytes> {
  let position: number = at;
  for (const chunk of chunks.length > 1 ? [Buffer.concat(chunks)] : chunks) {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position);
      done += bytesWritten;
      position += bytesWritten;
    }
  }
  return bytes(position);
}
