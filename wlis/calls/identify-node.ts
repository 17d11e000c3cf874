import { randomBytes } from 'node:crypto';
import { bytes, type Milliseconds } from '../../config/units.js';
import { NotBelieved } from '../trust/not-believed.js';
import { disbelieved, parseProblem, refusal } from './call-failures.js';
import type { NodeCaller } from './node-caller.js';
import { LONGEST_NODE_STATEMENT, openNodeStatement, type NodeStatement } from './node-statement.js';

/**
 * Asks whoever is at a URL who it is (`…/node`). What it says is signed by the key in it, in answer to this question, and the
 * URL is among its own: so that nobody passes on what another one said.
 * @param url as it is listed: scheme, host and port in canonical spelling
 * @throws CallFailed; or the reason of the signal
 */
export async function identifyNode(
  caller: NodeCaller,
  url: string,
  patience: Milliseconds,
  signal: AbortSignal,
): Promise<NodeStatement> {
  const nonce = randomBytes(16).toString('base64url');
  const call = {
    url,
    method: 'GET',
    path: `node?nonce=${nonce}`,
    content: null,
    fields: [],
    patience,
    signal,
  } as const;
  const { status, fields, text } = await caller.ask(call, longestAnswer);
  if (status !== 200) throw refusal(url, status, parseProblem(fields.get('content-type'), text));
  try {
    const statement = await openNodeStatement(text, nonce);
    if (statement.urls.includes(url)) return statement;
    throw new NotBelieved('wrong-subject', 'node: this is none of the URLs that it says are its own');
  } catch (error) {
    throw disbelieved(url, error);
  }
}

const longestAnswer = bytes(Math.max(65_536, LONGEST_NODE_STATEMENT));
