import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { contentOf } from '../../test/faults/content.js';
import { Seeded } from '../../test/faults/seeded.js';

/** What a number of readers do for a while, each one request after the other. */
export interface ReadingPlan {
  readonly readers: number;
  readonly seconds: number;
  readonly seed: number;
  /** Most that a reader waits between two requests. */
  readonly pause: number;
  /** Longest time for one request, also beyond the end of the plan. */
  readonly patience: number;
  readonly port: number;
  readonly documents: readonly ReadDocument[];
}

export interface ReadDocument {
  /** As the request line has it. */
  readonly target: string;
  readonly host: string;
  /** How often it is asked for beside the others. */
  readonly weight: number;
  /** Its bytes are those of `contentOf(key, 1, 0, length)`. */
  readonly key: string;
  readonly length: number;
  /** Lines that an answer has to have, and no others but those of hops; null if only its content is compared. */
  readonly fields: readonly string[] | null;
}

export interface ReadingReport {
  readonly requests: number;
  readonly bytes: number;
  /** What failed visibly, and how often: no answer, an error, or an answer that broke off. */
  readonly failures: Readonly<Record<string, number>>;
  /** Bytes that nobody published, in answers whole or not. */
  readonly forgedBytes: number;
  /** Answers that looked whole and were not what was published: too short, with other bytes or with other fields. */
  readonly forged: number;
  /** Milliseconds for each whole answer of at most 100 kB, and for those that are longer, in the order of their length. */
  readonly short: readonly number[];
  readonly long: readonly number[];
}

/** Lines of hops, not of documents. */
const ownOfHop =
  /^(?:date|age|via|cache-status|proxy-status|connection|keep-alive|transfer-encoding|content-length|server|wlis-[a-z-]+):/;

/** The lines of an answer that are about the document, in order. */
export const linesOf = (rawHeaders: readonly string[]): readonly string[] => {
  const lines: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const line = `${(rawHeaders[i] ?? '').toLowerCase()}: ${rawHeaders[i + 1] ?? ''}`;
    if (!ownOfHop.test(line) && !/^link:.*;\s*wlis\b/.test(line)) lines.push(line);
  }
  return lines.sort();
};

interface Outcome {
  readonly bytes: number;
  readonly forgedBytes: number;
  /** Why it is no whole answer; null if it looks like one. */
  readonly failure: string | null;
  /** Whether what it says of the document is what was published, and all of that. */
  readonly isTrue: boolean;
}

const failed = (failure: string, forgedBytes = 0): Outcome => ({ bytes: 0, forgedBytes, failure, isTrue: false });

/** Has them all read. */
export async function read(plan: ReadingPlan): Promise<ReadingReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.readers });
  const end = performance.now() + plan.seconds * 1000;
  const [short, long]: [number[], number[]] = [[], []];
  const failures: Record<string, number> = {};
  let [requests, bytes, forged, forgedBytes] = [0, 0, 0, 0];
  const reader = async (n: number): Promise<void> => {
    const random = new Seeded(plan.seed * 1000 + n);
    await delay(random.next() * plan.pause);
    while (performance.now() < end) {
      const document = random.weighted(plan.documents.map((one) => [one.weight, one] as const));
      const began = performance.now();
      const outcome = await readOne(document, plan, agent);
      requests++;
      bytes += outcome.bytes;
      forgedBytes += outcome.forgedBytes;
      const { failure } = outcome;
      if (failure !== null) failures[failure] = (failures[failure] ?? 0) + 1;
      else if (!outcome.isTrue) forged++;
      else (document.length <= 100_000 ? short : long).push(performance.now() - began);
      await delay(random.next() * plan.pause);
    }
  };
  await Promise.all(Array.from({ length: plan.readers }, (_, n) => reader(n)));
  agent.destroy();
  return { requests, bytes, failures, forgedBytes, forged, short, long };
}

function readOne(document: ReadDocument, { port, patience }: ReadingPlan, agent: Agent): Promise<Outcome> {
  const { target, host } = document;
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: target, headers: { host }, agent });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      request.destroy();
    }, patience);
    const done = (outcome: Outcome): void => {
      clearTimeout(timer);
      resolve(isLate ? failed('not in time', outcome.forgedBytes) : outcome);
    };
    request.on('error', ({ message }) => done(failed(message)));
    request.on('response', (response) => {
      judge(response, document).then(done, (error: unknown) => done(failed((error as Error).message)));
    });
  });
}

async function judge(response: IncomingMessage, document: ReadDocument): Promise<Outcome> {
  const content = contentFor(document);
  const isOk = response.statusCode === 200;
  let [bytes, forgedBytes] = [0, 0];
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (isOk) forgedBytes += differing(chunk, content.subarray(bytes, bytes + chunk.length));
      bytes += chunk.length;
    }
  } catch (error) {
    return failed(`broke off: ${(error as Error).message}`, forgedBytes);
  }
  if (!isOk) return failed(`status ${response.statusCode ?? 0}`);
  const { fields } = document;
  const isAsPublished = fields === null || linesOf(response.rawHeaders).join('\n') === fields.join('\n');
  const isTrue = bytes === content.length && forgedBytes === 0 && isAsPublished;
  return { bytes, forgedBytes, failure: null, isTrue };
}

function differing(chunk: Buffer, expected: Buffer): number {
  if (chunk.equals(expected)) return 0;
  return chunk.reduce((sum, byte, at) => sum + Number(byte !== expected[at]), 0);
}

const contents = new Map<string, Buffer>();

function contentFor({ key, length }: ReadDocument): Buffer {
  let content = contents.get(key);
  if (content === undefined) contents.set(key, (content = contentOf(key, 1, 0, length)));
  return content;
}
