import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { OriginHandler } from './scripted-origin.js';

/** Field names with their values; an array stands for several lines, null for "not even the one `node:http` adds". */
export type ScriptedFields = Readonly<Record<string, string | readonly string[] | null>>;

/** One answer, whole, with its `Content-Length`. */
export function answer(status: number, fields: ScriptedFields = {}, body: string | Buffer = ''): OriginHandler {
  return (_request, response) => {
    const content = Buffer.from(body);
    const bodiless = status === 204 || status === 304;
    writeHead(response, status, bodiless ? fields : { 'Content-Length': String(content.length), ...fields });
    response.end(content);
  };
}

/** A part of a body, or what must have happened before the next part is sent. */
export type BodyStep = string | Buffer | { readonly promise: Promise<unknown> };

/**
 * An answer sent piece by piece, with gates between them where the script has any; chunked unless the fields give a
 * `Content-Length`. Waits for a slow reader.
 */
export function answerInPieces(status: number, fields: ScriptedFields, ...steps: readonly BodyStep[]): OriginHandler {
  return async (_request, response) => {
    writeHead(response, status, fields);
    response.flushHeaders();
    for (const step of steps) {
      if (typeof step === 'string' || Buffer.isBuffer(step)) await writePiece(response, step);
      else await step.promise;
      if (response.destroyed) return;
    }
    response.end();
  };
}

/** The same, but the connection is cut instead of the end being sent. */
export function answerBrokenOff(status: number, fields: ScriptedFields, ...steps: readonly BodyStep[]): OriginHandler {
  return async (_request, response) => {
    writeHead(response, status, fields);
    response.flushHeaders();
    for (const step of steps) {
      if (typeof step === 'string' || Buffer.isBuffer(step)) await flushPiece(response, step);
      else await step.promise;
    }
    response.destroy();
  };
}

/** The first request gets the first script, and so on; the last script answers all that come later. */
export function inTurn(...scripts: readonly OriginHandler[]): OriginHandler {
  let turn = 0;
  return (request, response, index) => {
    const script = scripts[Math.min(turn++, scripts.length - 1)];
    if (script === undefined) throw new Error('a sequence needs at least one script');
    return script(request, response, index);
  };
}

/** One script for each request target; others get 404. */
export function byPath(scripts: Readonly<Record<string, OriginHandler>>): OriginHandler {
  const notFound = answer(404, { 'Content-Type': 'text/plain' }, 'not in the script\n');
  return (request, response, index) => (scripts[request.url] ?? notFound)(request, response, index);
}

/** Waits, then goes on with a script. */
export function after(held: { readonly promise: Promise<unknown> }, script: OriginHandler): OriginHandler {
  return async (request, response, index) => {
    await held.promise;
    await script(request, response, index);
  };
}

/** Takes the request and never answers. */
export const silence: OriginHandler = () => undefined;

function writeHead(response: ServerResponse, status: number, fields: ScriptedFields): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) response.setHeader(name, value);
    else if (name.toLowerCase() === 'date') {
      response.sendDate = false;
      response.removeHeader(name);
    } else response.removeHeader(name);
  }
}

async function writePiece(response: ServerResponse, piece: string | Buffer): Promise<void> {
  if (response.write(piece) || response.destroyed) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}

/** Written to the socket, so that cutting the connection afterwards does not take it back. */
async function flushPiece(response: ServerResponse, piece: string | Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    response.write(piece, () => resolve());
    response.once('close', resolve);
  });
}
