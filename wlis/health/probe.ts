import { createHash } from 'node:crypto';
import type { Milliseconds } from '../../config/units.js';
import type { Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';
import { CallFailed } from '../calls/call-failed.js';
import type { NodeCaller } from '../calls/node-caller.js';
import { HEAD_FIELD } from '../calls/head-field.js';
import type { Namespace } from '../namespace.js';
import type { Attempt, Attempts } from './attempts.js';
import type { ServedSample } from './served-samples.js';
import { whoseFault } from './whose-fault.js';

export interface ProbeOptions {
  readonly attempts: Attempts;
  readonly caller: NodeCaller;
  readonly patience: Milliseconds;
  readonly signal: AbortSignal;
}

/** Whom a probe is for, and by what. */
export interface ProbedNode {
  readonly url: string;
  readonly namespace: Namespace;
  /** What it is asked for; null: how far it is, which says only that it is there. */
  readonly sample: ServedSample | null;
  /** Whether it lied: then to be there is not enough. */
  readonly isBlamed: boolean;
}

/**
 * Asks a node for the beginning of a content that others serve, and tells its health how that went. One that has not got it is
 * asked how far it is. Rejects with nothing.
 */
export async function probe(node: ProbedNode, options: ProbeOptions): Promise<void> {
  if (
    node.sample !== null &&
    (await asked(node, blobCall(node.sample), options, blobIn(node.sample))) !== 'elsewhere'
  ) {
    return;
  }
  if (!node.isBlamed) await asked(node, headCall(node.namespace), options, headIn);
}

interface ProbeCall {
  readonly path: string;
  readonly fields: readonly string[];
}

type Outcome = 'well' | 'elsewhere' | 'failed' | 'nothing';

/** What an answer says of the node; the content is read or cancelled by it. */
type Judge = (answer: { status: number; fields: Fields; body: Body }, attempt: Attempt) => Promise<Outcome>;

async function asked(node: ProbedNode, call: ProbeCall, options: ProbeOptions, judge: Judge): Promise<Outcome> {
  const { attempts, caller, patience, signal } = options;
  const attempt = attempts.begin(node.url);
  try {
    const answer = await caller.open({ url: node.url, method: 'GET', content: null, patience, signal, ...call });
    attempt.answered();
    try {
      return settle(attempt, answer, await judge(answer, attempt));
    } finally {
      answer.body.cancel();
    }
  } catch (error) {
    return signal.aborted ? abandon(attempt) : fail(attempt, error);
  }
}

function settle(attempt: Attempt, { status, fields }: { status: number; fields: Fields }, outcome: Outcome): Outcome {
  if (outcome === 'well') attempt.done();
  else if (outcome === 'failed') attempt.failed('false', 'a probe: other bytes than those of their digest');
  else if (whoseFault(status, fields) === 'node') attempt.failed('status', `a probe: ${status}`);
  else attempt.abandoned();
  return outcome;
}

function abandon(attempt: Attempt): Outcome {
  attempt.abandoned();
  return 'nothing';
}

function fail(attempt: Attempt, error: unknown): Outcome {
  const { fault, reason } = error instanceof CallFailed ? error : { fault: 'unreachable', reason: '' };
  // this node itself keeps it from being called just now
  if (fault === 'busy') return abandon(attempt);
  const isSilence = reason === 'upstream-timeout' || reason === 'connect-timeout';
  attempt.failed(isSilence ? 'silent' : 'unreachable', `a probe: ${reason === '' ? fault : reason}`);
  return 'nothing';
}

const blobCall = ({ content, block }: ServedSample): ProbeCall => ({
  path: `blob/${content}`,
  fields: ['Range', `bytes=0-${block.size - 1}`, 'Accept-Encoding', 'identity'],
});

/** Reads no more than the block that was asked for, whatever comes. */
const blobIn =
  ({ block }: ServedSample): Judge =>
  async ({ status, body }, attempt) => {
    if (status !== 200 && status !== 206) return status === 404 || status === 410 ? 'elsewhere' : 'nothing';
    const hash = createHash('sha256');
    let left: number = block.size;
    while (left > 0) {
      attempt.waits();
      const chunk = await body.read();
      if (chunk === null) break;
      hash.update(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
    }
    return left === 0 && hash.digest('hex') === block.digest ? 'well' : 'failed';
  };

const headCall = (namespace: Namespace): ProbeCall => ({
  path: `head?namespace=${encodeURIComponent(namespace)}`,
  fields: [],
});

/** Whose head it is, those find out who believe it. */
const headIn: Judge = ({ status, fields }) =>
  Promise.resolve(status === 200 && fields.has(HEAD_FIELD) ? 'well' : 'nothing');
