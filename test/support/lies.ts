import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { milliseconds } from '../../config/units.js';
import { headField, parseHeadField } from '../../wlis/calls/head-field.js';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import type { Seeded } from '../faults/seeded.js';
import type { Gate } from './gate.js';
import { pour, type Lie, type Truth, type Untruth } from './lying-parent.js';

/** A lie, and what comes of it: the reason for which it is refused; a `failure`; or nothing, since it says nothing false. */
export interface KnownLie extends Lie {
  readonly outcome: RegExp | 'failure' | 'nothing';
}

export type Tell = (truth: Truth, random: Seeded) => Untruth | null;

export const lie = (about: string, name: string, outcome: KnownLie['outcome'], tell: Tell): KnownLie => ({
  ...{ name: `${about}: ${name}`, about: [about], outcome },
  tell: (truth, random) => (truth.status < 300 && truth.content.length > 0 ? tell(truth, random) : null),
});

export const HEAD = 'WLIS-Head';

/** 64 MiB of nothing in 64 KiB. */
const bomb = gzipSync(Buffer.alloc(64 * 1_048_576));
const gzipped = { 'Content-Encoding': 'gzip', 'Content-Range': undefined, 'Content-Length': undefined };

/** What can be said instead of any answer. */
export const anyAnswer = (about: string): KnownLie[] => [
  lie(about, 'an error', 'failure', () => ({ status: 500, content: 'no' })),
  lie(about, 'a page of a captive portal', /malformed|wrong-digest|too-large|wrong-subject/, () => ({
    fields: { [HEAD]: undefined, 'Content-Type': 'text/html', 'Content-Range': undefined },
    content: '<!doctype html><title>Log in</title>',
    status: 200,
  })),
  lie(about, 'a connection that breaks', 'failure', ({ content, status, fields }) => ({
    pour: (response) => {
      response.writeHead(status, { ...fields, 'Content-Length': content.length + 1 });
      response.write(content, () => response.destroy());
    },
  })),
  lie(about, 'random bytes', /malformed|wrong-digest|too-large|wrong-signature/, ({ content }, random) => ({
    content: Buffer.from(content.map(() => random.below(256))),
  })),
  lie(about, 'broken gzip', /malformed|wrong-subject/, ({ content }, random) => {
    const coded = gzipSync(content);
    coded.fill(random.below(256), 12, 16);
    return { fields: { ...gzipped, 'Content-Length': String(coded.length) }, content: coded };
  }),
  lie(about, 'a great deal of zeros in gzip', /too-large|malformed|wrong-subject/, () => ({
    fields: { ...gzipped, 'Content-Length': String(bomb.length) },
    content: bomb,
  })),
  lie(about, 'zeros without an end', /too-large|malformed|wrong-digest|wrong-subject/, ({ fields, status }) => ({
    pour: (response) => endless(response, status, fields, () => Buffer.alloc(65_536)),
  })),
];

export function endless(response: ServerResponse, status: number, fields: Truth['fields'], piece: () => Buffer): void {
  response.writeHead(status, fields);
  pour(response, piece);
}

/** Whoever goes there comes to somebody who has nothing to do with it. */
export const redirect = (about: string, to: string): KnownLie =>
  lie(about, 'a redirect', 'failure', ({ path }) => ({
    status: 302,
    fields: { Location: `${to}${path}` },
    content: '',
  }));

/** A signed statement that says something else, under the same signature. */
export function alteredJws(jws: string, alter: (said: JsonObject) => JsonObject): string {
  const [head = '', payload = '', signature = ''] = jws.split('.');
  return `${head}.${alteredPayload(payload, alter)}.${signature}`;
}

export function alteredPayload(payload: string, alter: (said: JsonObject) => JsonObject): string {
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JsonObject;
  return Buffer.from(canonicalJson({ ...said, ...alter(said) })).toString('base64url');
}

export const told = (jws: string): string => headField({ jws, age: milliseconds(0) });

/** What was answered to the first call for changes when there were none, again and again, as if it were news. */
export function replayed(): KnownLie {
  let first: Truth | null = null;
  const isFirst = ({ call, status, content }: Truth): boolean =>
    call === 'changes' && status === 200 && content.toString().startsWith('{"count":0,');
  return {
    ...{ name: 'what was', about: ['changes', 'head'], outcome: 'nothing' },
    tell: (truth) => {
      if (first === null && isFirst(truth)) first = truth;
      if (first === null) return null;
      const fields = { ...first.fields, [HEAD]: told(parseHeadField(first.fields[HEAD]).jws) };
      return { status: 200, content: truth.call === 'changes' ? first.content : 'a head', fields };
    },
  };
}

/** Byte after byte, so slowly that it never ends. @param flowing opened when some have been sent */
export const dripping = (about: string, flowing: Gate): KnownLie =>
  lie(about, 'a byte now and then', 'failure', ({ content, status, fields }) => ({
    pour: (response) => {
      response.writeHead(status, { ...fields, 'Content-Length': content.length });
      let at = 0;
      const timer = setInterval(() => {
        response.write(content.subarray(at, ++at));
        if (at > 5) flowing.open();
      }, 20).unref();
      response.once('close', () => clearInterval(timer));
    },
  }));

/** A text in the place of another one. */
export const substituted = (
  about: string,
  name: string,
  outcome: KnownLie['outcome'],
  alter: (content: string) => string,
): KnownLie => lie(about, name, outcome, ({ content }) => ({ content: alter(content.toString()) }));

/** What may be said to one that begins. */
export const liesAboutGroup: readonly KnownLie[] = [
  ...[...anyAnswer('group'), ...anyAnswer('root'), ...anyAnswer('replicas')],
  substituted('group', 'a group that was altered', /wrong-signature/, (text) =>
    alteredJws(text, () => ({ replicas: [], version: 1_800_000_000_000 })),
  ),
  substituted('root', 'a root that was altered', /wrong-signature/, (text) =>
    text.replace(
      /"payload":"([\w-]+)"/,
      (_, payload: string) => `"payload":"${alteredPayload(payload, () => ({ issued: 1 }))}"`,
    ),
  ),
  substituted('replicas', 'another group along with it', /wrong-signature/, (text) => {
    const answer = JSON.parse(text) as JsonObject;
    const { group } = answer;
    return typeof group === 'string'
      ? canonicalJson({ ...answer, group: alteredJws(group, () => ({ version: 1_800_000_000_000 })) })
      : text;
  }),
];
