import type { Duplex } from 'node:stream';
import type { OperatorApi } from '../admin/operator-api.js';
import { WillisError } from '../base/errors.js';
import type { Request, Response } from '../http/message.js';
import type { ConnectRequest, RequestHandler } from '../http/request-handler.js';
import type { Takeovers } from './takeovers.js';

/** The operator's listener. */
export class OperatorSide implements RequestHandler {
  constructor(
    private readonly api: OperatorApi,
    private readonly takeovers: Takeovers,
  ) {}

  request(request: Request): Response | Promise<Response> {
    return this.api.request(request);
  }

  connect(request: ConnectRequest, socket: Duplex): void {
    this.takeovers.refuse(request, socket, new WillisError('method-not-allowed', 'no tunnels here'));
  }

  upgrade(): boolean {
    return false;
  }
}
