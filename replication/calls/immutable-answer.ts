import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { digestBytes, type Digest } from '../../wlis/trust/digest.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';

/** The fields of an answer that its own digest names: it may be kept anywhere and for ever. */
export const immutableFields = (digest: Digest): readonly string[] => [
  ...['Content-Type', 'application/octet-stream', 'X-Content-Type-Options', 'nosniff'],
  ...['Cache-Control', 'public, max-age=31536000, immutable', 'ETag', `"${digest}"`, 'Accept-Ranges', 'bytes'],
  ...['Repr-Digest', `sha-256=:${Buffer.from(digestBytes(digest)).toString('base64')}:`],
];

export function immutableAnswer(digest: Digest, content: Buffer): Response {
  const fields = new Fields([...immutableFields(digest), 'Content-Length', String(content.length)]);
  return { status: 200, reason: 'OK', fields, body: BufferedBody.from(content) };
}

/** What the validators of such an answer are. */
export const immutableValidators = (digest: Digest) =>
  ({ etag: `"${digest}"`, lastModified: null, date: null }) as const;

/** Another time, or elsewhere, it may be. */
export const notHere = (digest: Digest): CallProblem => new CallProblem(404, 'not-here', `${digest} is not here`);
