import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import { parseHeadField } from '../calls/head-field.js';
import { CALLS } from '../calls/call-target.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { AskedDocument } from './asked-document.js';
import type { FailoverParts } from './failover-parts.js';
import type { NodeAnswer } from './node-answer.js';
import { partsOfProofAnswer, type ShownProof } from './proof-check.js';

/** What a node shows when it is asked for a proof; and how old it says that its head is. */
export interface CalledProof extends ShownProof {
  readonly age: Milliseconds;
  /** To be ended when it is known whether the proof is believed. */
  readonly answer: NodeAnswer;
}

/** `GET …/proof`. @throws SourceFailed; or the reason of the cancellation */
export async function askProof(
  { requests, upstreamFor, settings }: Pick<FailoverParts, 'requests' | 'upstreamFor' | 'settings'>,
  { known, uri, request }: AskedDocument,
  url: string,
  cancellation: Cancellation,
): Promise<CalledProof> {
  const { namespace } = known;
  const answer = await requests.ask({
    ...{ url, method: 'GET', cancellation, upstream: upstreamFor(namespace), patience: settings().patience },
    path: `${CALLS}proof?namespace=${encodeURIComponent(namespace)}&uri=${encodeURIComponent(uri)}`,
    fields: [
      'Cache-Control',
      'no-store',
      ...request.fields.filter((name) => name === 'via' || name === 'cdn-loop').lines,
    ],
  });
  if (answer.status !== 200) throw answer.failed('status', `answered ${answer.status} for a proof`);
  // a page that somebody on the way puts there is no word of the node (protocol decision 3)
  if (!/^application\/json\b/i.test(answer.fields.get('content-type') ?? '')) throw answer.failed('broken', 'no proof');
  const text = await readWhole(answer, longest);
  try {
    const { jws, text: rest } = partsOfProofAnswer(text);
    return { jws, text: rest, age: ageOf(answer, jws), at: url, answer };
  } catch (error) {
    if (!(error instanceof NotBelieved)) throw error;
    throw answer.failed('false', error.message);
  }
}

/** All of a short content, as UTF-8. @throws SourceFailed */
export async function readWhole(answer: NodeAnswer, longestContent: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (let chunk = await answer.read(); chunk !== null; chunk = await answer.read()) {
    size += chunk.length;
    if (size > longestContent)
      throw answer.failed('false', `more than ${longestContent} bytes where a short text belongs`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw answer.failed('false', 'a text that is no UTF-8');
  }
}

/** As the answer says, if it says so of that head. */
function ageOf({ fields }: NodeAnswer, jws: string): Milliseconds {
  const value = fields.first('wlis-head');
  const told = value === undefined ? null : parseHeadField(value);
  return told?.jws === jws ? told.age : milliseconds(0);
}

const longest = 1_048_576;
