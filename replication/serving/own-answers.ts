import type { EpochMs } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { preconditionFails } from '../../proxy/http/preconditions.js';
import { plainNotFound as ofAll } from '../../wlis/documents/plain-not-found.js';
import type { PreparedDocument, PreparedVariant } from '../../wlis/documents/prepared-document.js';

/** What can be done with a document where it is published from a directory, and at every replica by itself. */
export const ALLOWED = 'GET, HEAD, OPTIONS';

/**
 * The answer to OPTIONS (RFC 9110 §9.3.7), which is also what a browser asks before it lets a page of another origin at a
 * document: the document's own `Access-Control-…` fields say what that page may do.
 */
export function optionsAnswer(document: PreparedDocument | null, added: readonly string[]): Response {
  const cors = document?.common.filter((name) => name.startsWith('access-control-')) ?? Fields.none;
  return {
    status: 204,
    reason: 'No Content',
    fields: new Fields(['Allow', ALLOWED, ...cors.lines, ...added]),
    body: null,
  };
}

/** @throws WillisError method-not-allowed, always */
export function refuseMethod(method: string): never {
  const why = `documents of this namespace cannot be changed by ${method.slice(0, 40)}`;
  throw new WillisError('method-not-allowed', why, { answerFields: ['Allow', ALLOWED] });
}

/** What every node says of what is not there, where the namespace itself says nothing. */
export const plainNotFound = ({ method }: Request, added: readonly string[]): Response => ({
  ...ofAll(method, added),
  note: { outcome: 'hit' },
});

/** 412 if a request has a condition that its variant does not meet (RFC 9110 §13.2.2, steps 1 and 2), otherwise null. */
export function failedPrecondition(
  request: Request,
  { metadata, fields }: PreparedVariant,
  added: readonly string[],
  now: EpochMs,
): Response | null {
  if (metadata.status !== 200) return null;
  const current = { etag: fields.first('etag') ?? null, lastModified: fields.first('last-modified') ?? null };
  if (!preconditionFails(request, current, now)) return null;
  const lines = ['Content-Length', '0', ...added];
  const note = { outcome: 'hit' };
  return { status: 412, reason: 'Precondition Failed', fields: new Fields(lines), body: BufferedBody.from(''), note };
}
