import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Body } from '../../proxy/http/body.js';
import { CallFailed } from './call-failed.js';
import { IteratedBody, piecesOf } from './iterated-body.js';

/**
 * What another node sent in gzip (RFC 1952), decoded while it is read. More than 200 bytes for one, beyond the first 16 MiB, are
 * what no list and no bundle comes to. `read` rejects with CallFailed not-believed, or as that of the body does.
 */
export class GunzippedBody extends IteratedBody {
  constructor(body: Body, url: string) {
    super(gunzipped(body, url), null, (reason) => body.cancel(reason));
  }
}

async function* gunzipped(body: Body, url: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize });
  let received = 0;
  let given = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of piecesOf(body)) {
      received += piece.length;
      if (received > 2 * given + emptyBytes) throw bomb(url, 'a great deal of gzip with nothing in it');
      yield piece;
    }
  };
  // what goes wrong is told by the reading below
  pipeline(Readable.from(counted(), { objectMode: true, highWaterMark: 1 }), gunzip, () => undefined);
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      given += piece.length;
      if (given > freeBytes && given > mostRatio * received) throw bomb(url, `gzip of more than ${mostRatio} to 1`);
      yield piece;
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw error;
    throw new CallFailed('not-believed', url, 'malformed', `broken gzip: ${message}`, { cause: error });
  }
}

const bomb = (url: string, what: string): CallFailed => new CallFailed('not-believed', url, 'too-large', what);

const mostRatio = 200;
const freeBytes = 16 * 1_048_576;
const emptyBytes = 1_048_576;
const chunkSize = 65_536;
