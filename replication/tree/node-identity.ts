import { randomBytes } from 'node:crypto';
import { bytes, milliseconds } from '../../config/units.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import type { PublicKey } from '../../wlis/trust/public-key.js';
import type { NodeCaller } from '../calls/node-caller.js';
import { LONGEST_NODE_STATEMENT, openNodeStatement } from '../calls/node-statement.js';
import { CallFailed } from '../remote-holder.js';
import { refusal } from './call-refusal.js';

/** The key of the node that answers at a URL, which it has proven to have. @throws CallFailed */
export async function identifiedNode(caller: NodeCaller, url: string, signal: AbortSignal): Promise<PublicKey> {
  const nonce = randomBytes(24).toString('base64url');
  const call = { url, method: 'GET', path: `node?nonce=${nonce}`, content: null, fields: [], patience, signal } as const;
  const answer = await caller.ask(call, bytes(LONGEST_NODE_STATEMENT));
  if (answer.status !== 200) throw refusal(url, answer);
  try {
    return (await openNodeStatement(answer.text, nonce)).key;
  } catch (cause) {
    if (!(cause instanceof NotBelieved)) throw cause;
    throw new CallFailed('not-believed', url, cause.reason, cause.message, { cause });
  }
}

const patience = milliseconds(5000);
