import type { Duplex } from 'node:stream';
import { answerOperator, type OperatorSideOptions } from '../admin/operator-side.js';
import { WillisError } from '../base/errors.js';
import type { Request, Response } from '../http/message.js';
import type { ConnectRequest, RequestHandler } from '../http/request-handler.js';
import type { Takeovers } from './takeovers.js';

/** The operator's listener. */
export class OperatorSide implements RequestHandler {
  constructor(private readonly options: OperatorSideOptions & { readonly takeovers: Takeovers }) {}

  request(request: Request): Response {
    return answerOperator(request, this.options);
  }

  connect(request: ConnectRequest, socket: Duplex): void {
    this.options.takeovers.refuse(request, socket, new WillisError('method-not-allowed', 'no tunnels here'));
  }

  upgrade(): boolean {
    return false;
  }
}
