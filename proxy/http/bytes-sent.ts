import type { Socket } from 'node:net';
import { bytes, type Bytes } from '../../config/units.js';

/**
 * Bytes written to an accepted socket, by TLS on top of it too, that the system has taken so far. Node itself tells of a
 * write only when all of it is taken, which for a slow reader is long after the first bytes are; the handle below counts
 * them one by one.
 */
export function bytesSent(socket: Socket & { readonly _handle?: WritableHandle | null }): Bytes {
  const handle = socket._handle;
  if (handle?.bytesWritten === undefined || handle.writeQueueSize === undefined) {
    return bytes(socket.bytesWritten - socket.writableLength);
  }
  return bytes(handle.bytesWritten - handle.writeQueueSize);
}

/** Not documented, and therefore not relied upon. */
interface WritableHandle {
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}
