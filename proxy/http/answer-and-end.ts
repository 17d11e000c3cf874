import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Response } from './message.js';
import { frameResponse } from './response-framing.js';
import { ResponseSender } from './send.js';

/**
 * Answers on a connection that was taken over for a tunnel or WebSocket and is not to be one after all, then ends it.
 * The socket is this function's from now on; input is discarded so that the client can read the answer.
 * @throws WillisError internal, before anything is sent, if the response cannot be sent
 */
export function answerAndEnd(socket: Duplex, response: Response, clock: Clock): void {
  const frame = frameResponse(response, { method: 'GET', version: '1.1', close: true, clock });
  const sender = new ResponseSender(socket, (sent) => {
    if (sent.kind === 'broken') socket.destroy(asWillisError(sent.error));
    else socket.end();
  });
  const timer = setTimeout(() => socket.destroy(), PATIENCE);
  socket.on('error', () => undefined);
  socket.on('drain', () => sender.onDrain());
  socket.on('close', () => {
    clearTimeout(timer);
    sender.abandon(new WillisError('client-gone', 'the client closed the connection'));
  });
  socket.resume();
  sender.send(frame, response.body);
}

/** For the client to read an error answer and to end its side. */
const PATIENCE = 5000;
