import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.js';
import type { Response } from './message.js';
import { frameResponse } from './response-framing.js';
import { ResponseSender } from './send.js';

/** Answers on a connection that was taken over for a tunnel which cannot be had, and ends it. */
export function sendRefusal(socket: Duplex, response: Response, clock: Clock): void {
  const frame = frameResponse(response, { method: 'GET', version: '1.1', close: true, clock });
  const sender = new ResponseSender(socket, () => {
    socket.end();
    // what the client still sends is read to nowhere, so that it gets the answer and not a reset
    socket.resume();
  });
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => sender.onDrain());
  sender.send(frame, response.body);
}
