import { WillisError } from '../base/errors.js';
import type { Clock } from '../base/clock.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import type { PurgeMode } from '../cache/purge.js';
import { BufferedBody } from '../http/body.js';
import { Fields } from '../http/fields.js';
import { formatHttpDate } from '../http/http-date.js';
import type { Request, Response } from '../http/message.js';
import { hrefOf, type TargetUri } from '../http/target-uri.js';

/**
 * Performs the method PURGE on a target URI: what is stored for it, on all sides, is marked stale, or forgotten if the
 * request says `Purge-Mode: hard`. The answer comes when that is true for every later request, and says how many stored
 * responses it was about.
 * @throws WillisError bad-request for another mode
 */
export async function performPurge(
  request: Request,
  target: TargetUri,
  { cache, clock }: { readonly cache: CachingHandler; readonly clock: Clock },
): Promise<Response> {
  const mode = purgeMode(request.fields.get('purge-mode'));
  // what was asked for with dot segments is stored under the URI as it was written
  const uris = [...new Set([hrefOf(target), hrefOf(request.target)])];
  const purged = await cache.purge({ kind: 'uri', uris }, mode);
  const body = Buffer.from(`${JSON.stringify({ purged, mode })}\n`);
  const fields = Fields.of({
    Date: formatHttpDate(clock.now()),
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    'Cache-Control': 'no-store',
  });
  return { status: 200, reason: 'OK', fields, body: BufferedBody.from(body), note: { outcome: 'purge' } };
}

function purgeMode(value: string | undefined): PurgeMode {
  if (value === undefined || value === 'soft') return 'soft';
  if (value === 'hard') return 'hard';
  throw new WillisError('bad-request', 'Purge-Mode is neither soft nor hard');
}
