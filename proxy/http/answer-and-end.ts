import type { Duplex } from 'node:stream';
import type { Bytes } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Response } from './message.js';
import { frameResponse } from './response-framing.js';
import { ResponseSender } from './send.js';

/** What was given to the connection, in all and as content, and whether that was all of the answer. */
export interface AnswerSent {
  readonly bytesOut: Bytes;
  readonly contentOut: Bytes;
  readonly complete: boolean;
}

/**
 * Answers on a connection that was taken over for a tunnel or WebSocket and is not to be one after all, then ends it.
 * The socket is this function's from now on; input is discarded so that the client can read the answer.
 * @param onSent called once
 * @throws WillisError internal, before anything is sent, if the response cannot be sent
 */
export function answerAndEnd(
  socket: Duplex,
  response: Response,
  clock: Clock,
  onSent: (sent: AnswerSent) => void,
): void {
  const frame = frameResponse(response, { method: 'GET', version: '1.1', close: true, clock });
  const sender: ResponseSender = new ResponseSender(socket, (sent) => {
    onSent({ bytesOut: sender.sentBytes, contentOut: sender.contentBytes, complete: sent.kind === 'complete' });
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
