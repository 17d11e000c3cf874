import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import { CallFailed } from '../calls/call-failed.js';
import { parseProblem, refusal } from '../calls/call-failures.js';
import type { NodeCaller } from '../calls/node-caller.js';
import type { Namespace } from '../namespace.js';

/** Calls about what others know of namespaces. All @throw CallFailed, or the reason of the signal; nothing is verified yet. */
export class DirectoryCalls {
  readonly #caller: NodeCaller;
  readonly #patience: Milliseconds;

  constructor(caller: NodeCaller, patience: Milliseconds = usualPatience) {
    this.#caller = caller;
    this.#patience = patience;
  }

  /** The statement of the group. */
  group(url: string, namespace: Namespace, signal: AbortSignal): Promise<string> {
    return this.#get(url, `group?namespace=${encodeURIComponent(namespace)}`, longestGroup, signal);
  }

  /** Which namespace a URI belongs to, and the statement of its group: JSON. Null if it is not known there. */
  async resolve(url: string, uri: string, signal: AbortSignal): Promise<string | null> {
    try {
      return await this.#get(url, `resolve?uri=${encodeURIComponent(uri)}`, longestResolution, signal);
    } catch (error) {
      if (error instanceof CallFailed && error.reason === 'not-known') return null;
      throw error;
    }
  }

  /** What is known there since a cursor: NDJSON with a tail. @param since empty for all */
  records(url: string, since: string, signal: AbortSignal): Promise<string> {
    return this.#get(url, `records?since=${encodeURIComponent(since)}`, longestRecords, signal);
  }

  /** The root chain of an authority. */
  root(url: string, origin: string, signal: AbortSignal): Promise<string> {
    return this.#get(url, `root?origin=${encodeURIComponent(origin)}`, longestRecords, signal);
  }

  async #get(url: string, path: string, longest: Bytes, signal: AbortSignal): Promise<string> {
    const patience = this.#patience;
    const call = { url, method: 'GET', path, content: null, fields: [], patience, signal } as const;
    const { status, fields, text } = await this.#caller.ask(call, longest);
    if (status === 200) return text;
    throw refusal(url, status, parseProblem(fields.get('content-type'), text));
  }
}

const usualPatience = milliseconds(10_000);
const longestGroup = bytes(1_048_576 + 65_536);
const longestResolution = bytes(2_097_152);
/** A page, and the one record that goes beyond it. */
export const longestRecords = bytes(12_582_912);
