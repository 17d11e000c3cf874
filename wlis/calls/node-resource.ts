import type { Response } from '../../proxy/http/message.js';
import type { CallKey } from '../call-key.js';
import { wholeAnswer } from './call-answer.js';
import { malformedCall } from './malformed-call.js';
import { signNodeStatement, type NodeStatement } from './node-statement.js';
import type { CallResource, ReceivedCall } from './received-call.js';

export interface NodeResourceOptions {
  readonly key: CallKey;
  /** Its key is that key. */
  readonly statement: () => NodeStatement;
}

/** `GET …/node?nonce=…`: what this node says of itself, signed for whoever asks. */
export class NodeResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: NodeResourceOptions;

  constructor(options: NodeResourceOptions) {
    this.#options = options;
  }

  answer({ query }: ReceivedCall): Response {
    const nonce = query.get('nonce') ?? '';
    if (!/^[A-Za-z0-9_-]{22,64}$/.test(nonce)) throw malformedCall("'nonce' is not 22 to 64 base64url");
    const { key, statement } = this.#options;
    return wholeAnswer('application/jose', signNodeStatement(statement(), nonce, key));
  }
}
