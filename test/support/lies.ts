import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { milliseconds } from '../../config/units.js';
import { headField, parseHeadField } from '../../replication/calls/head-field.js';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { tailText, type ListTail } from '../../wlis/trust/record-list.js';
import type { Seeded } from '../faults/seeded.js';
import type { Gate } from './gate.js';
import { pour, type Lie, type Truth, type Untruth } from './lying-parent.js';

/** A lie, and what comes of it: the reason for which it is refused; a `failure`; or nothing, since it says nothing false. */
export interface KnownLie extends Lie {
  readonly outcome: RegExp | 'failure' | 'nothing';
}

type Tell = (truth: Truth, random: Seeded) => Untruth | null;

const lie = (about: string, name: string, outcome: KnownLie['outcome'], tell: Tell): KnownLie => ({
  ...{ name: `${about}: ${name}`, about: [about], outcome },
  tell: (truth, random) => (truth.status < 300 && truth.content.length > 0 ? tell(truth, random) : null),
});

const HEAD = 'WLIS-Head';

/** 64 MiB of nothing in 64 KiB. */
const bomb = gzipSync(Buffer.alloc(64 * 1_048_576));
const gzipped = { 'Content-Encoding': 'gzip', 'Content-Range': undefined, 'Content-Length': undefined };

/** What can be said instead of any answer. */
const anyAnswer = (about: string): KnownLie[] => [
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

function endless(response: ServerResponse, status: number, fields: Truth['fields'], piece: () => Buffer): void {
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

interface List {
  readonly records: readonly JsonObject[];
  readonly tail: ListTail;
}

function listIn({ content }: Truth): List {
  const lines = content
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  const all = lines.map((line) => JSON.parse(line) as JsonObject);
  return { records: all.slice(0, -1), tail: all.at(-1) as unknown as ListTail };
}

const listText = (records: readonly JsonObject[], tail: Partial<ListTail> & Pick<ListTail, 'seq' | 'root'>): string =>
  [...records.map((record) => canonicalJson(record)), tailText({ ...tail, count: records.length }), ''].join('\n');

/** Something else than the list of changes, where there are any. */
const aboutChanges = (
  name: string,
  outcome: KnownLie['outcome'],
  alter: (list: List, random: Seeded) => string | Buffer | null,
): KnownLie =>
  lie('changes', name, outcome, (truth, random) => {
    const list = listIn(truth);
    const content = list.records.length === 0 ? null : alter(list, random);
    return content === null ? null : { content };
  });

/** One record is another one. */
const aboutRecord = (
  name: string,
  outcome: RegExp,
  alter: (record: JsonObject, random: Seeded) => JsonObject,
): KnownLie =>
  aboutChanges(name, outcome, ({ records, tail }, random) => {
    const at = random.below(records.length);
    return listText(
      records.map((record, i) => (i === at ? { ...record, ...alter(record, random) } : record)),
      tail,
    );
  });

/** Another head above the list, where there are changes. */
const aboutHead = (name: string, outcome: RegExp, alter: (jws: string, truth: Truth) => string): KnownLie =>
  lie('changes', name, outcome, (truth) => {
    if (listIn(truth).records.length === 0) return null;
    return { fields: { [HEAD]: told(alter(parseHeadField(truth.fields[HEAD]).jws, truth)) } };
  });

/** A signed statement that says something else, under the same signature. */
function alteredJws(jws: string, alter: (said: JsonObject) => JsonObject): string {
  const [head = '', payload = '', signature = ''] = jws.split('.');
  return `${head}.${alteredPayload(payload, alter)}.${signature}`;
}

function alteredPayload(payload: string, alter: (said: JsonObject) => JsonObject): string {
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JsonObject;
  return Buffer.from(canonicalJson({ ...said, ...alter(said) })).toString('base64url');
}

const elsewhere = ['../x', '%2e%2e/x', 'a/../../x', 'a%2fb', '/etc/passwd', '.well-known/x', 'a\\b', 'a#b', '\u0000'];

const changes: readonly KnownLie[] = [
  lie('changes', 'a list that is cut off', /malformed/, ({ content }, random) => ({
    content: content.subarray(0, random.between(1, content.length - 1)),
  })),
  aboutChanges(
    'a list without its tail',
    /malformed/,
    ({ records }) => `${records.map((one) => canonicalJson(one)).join('\n')}\n`,
  ),
  aboutChanges('a record left out', /wrong-proof/, ({ records, tail }) => listText(records.slice(1), tail)),
  aboutChanges('a list from the end to the beginning', /malformed|wrong-proof/, ({ records, tail }) =>
    records.length < 2 ? null : listText([...records].reverse(), tail),
  ),
  aboutChanges('a list without an end', /malformed|too-large/, ({ records }) => {
    const line = `${canonicalJson(records[0] as JsonObject)}\n`;
    return line.repeat(10_000);
  }),
  aboutChanges('a line without an end', /too-large/, () => 'x'.repeat(1_000_000)),
  aboutChanges('another number in the tail', /malformed/, ({ records, tail }) =>
    listText(records, { ...tail, seq: tail.seq + 5 }),
  ),
  aboutChanges('another root in the tail', /malformed/, ({ records, tail }) =>
    listText(records, { ...tail, root: '0'.repeat(64) as ListTail['root'] }),
  ),
  aboutRecord('a path outside', /malformed/, (_, random) => ({ path: random.pick(elsewhere) })),
  aboutRecord('a path that it has not', /wrong-proof|malformed/, () => ({ path: 'a%2Fb' })),
  aboutRecord('another host', /wrong-subject/, () => ({ namespace: 'http://victim.example/' })),
  aboutRecord('a number that jumps', /malformed/, ({ seq }) => ({ seq: Number(seq) + 1000 })),
  aboutRecord('a number that runs backwards', /malformed/, () => ({ seq: 1 })),
  aboutRecord('another epoch in the middle', /out-of-date/, () => ({ epoch: '1900000000000-0123456789abcdef' })),
  aboutRecord('other fields', /wrong-proof|malformed/, () => ({ fields: [['x-liar', 'yes']] })),
  aboutRecord('another content', /wrong-proof|malformed/, ({ variants = [] }, random) => ({
    variants: (variants as readonly JsonObject[]).map((one) => ({
      ...one,
      digest: Array.from({ length: 64 }, () => random.below(16).toString(16)).join(''),
    })),
  })),
  lie('changes', 'no head', /malformed/, () => ({ fields: { [HEAD]: undefined } })),
  aboutHead('an older head', /out-of-date/, (_, { first }) => parseHeadField(first?.fields[HEAD]).jws),
  aboutHead('a head that was altered', /wrong-signature/, (jws) =>
    alteredJws(jws, ({ seq }) => ({ seq: Number(seq) + 1 })),
  ),
  aboutHead('a head of another epoch', /wrong-signature/, (jws) =>
    alteredJws(jws, () => ({ epoch: '1900000000000-0123456789abcdef' })),
  ),
  aboutHead('no signature', /malformed|wrong-signature/, (jws) => `${jws.slice(0, jws.lastIndexOf('.'))}.`),
  lie('changes', 'a wrong type', 'nothing', () => ({ fields: { 'Content-Type': 'image/png' } })),
];

export const told = (jws: string): string => headField({ jws, age: milliseconds(0) });

/** Tries are asked for where the list is said to be another one: which is not believed either, but looked into. */
const compared = (name: string, outcome: RegExp, alter: (truth: Truth, random: Seeded) => Untruth): KnownLie => ({
  ...{ name: `trie: ${name}`, about: ['changes', 'trie'], outcome },
  tell: (truth, random) => {
    if (truth.call === 'trie') return alter(truth, random);
    if (truth.status !== 200 || listIn(truth).records.length === 0) return null;
    const content = canonicalJson({ type: 'urn:willis:problem:diverged', status: 409, detail: 'no' });
    return { status: 409, fields: { 'Content-Type': 'application/problem+json' }, content };
  },
});

const trie: readonly KnownLie[] = [
  compared('a digest that was altered', /wrong-digest/, ({ content }) => ({
    content: content
      .toString()
      .replace(/[0-9a-f]{64}/, (digest) => (digest.startsWith('0') ? '1' : '0') + digest.slice(1)),
  })),
  compared('one that is cut off', /malformed/, ({ content }, random) => ({
    content: content.subarray(0, random.below(content.length)),
  })),
  compared('lines without an end', /malformed|too-large/, ({ content }) => ({
    content: `${content.toString().split('\n')[0] ?? ''}\n`.repeat(1000),
  })),
  compared('nothing in it', /wrong-digest/, ({ content }) => ({
    content: content.toString().replace(/"entries":\[[^\n]*\]/, '"entries":[]'),
  })),
];

/** Where bytes are altered: at the beginning, in the middle, at the end. */
const flipped = (content: Buffer, random: Seeded): Buffer => {
  const other = Buffer.from(content);
  const at = random.pick([0, other.length >> 1, other.length - 1]);
  other.writeUInt8(other.readUInt8(at) ^ 1, at);
  return other;
};

const contents = (about: string): readonly KnownLie[] => [
  lie(about, 'a bit that was altered', /wrong-digest/, ({ content }, random) => ({
    content: flipped(content, random),
  })),
  lie(about, 'too little', /malformed|wrong-digest/, ({ content }) => ({ content: content.subarray(0, -1) })),
  lie(about, 'too much', /too-large|wrong-digest|malformed/, ({ content }) => ({
    content: Buffer.concat([content, Buffer.from('more')]),
  })),
];

const blob: readonly KnownLie[] = [
  lie('blob', 'the bytes of another range', /wrong-subject/, ({ fields }) => ({
    fields: { 'Content-Range': (fields['Content-Range'] ?? 'bytes 0-0/1').replace(/bytes \d+-/, 'bytes 7-') },
    status: 206,
  })),
  lie('blob', 'that it is not there', 'failure', () => ({
    status: 404,
    content: '',
    fields: { 'Content-Range': undefined },
  })),
];

const text =
  (from: RegExp, to: string): Tell =>
  ({ content }) => {
    const said = content.toString('latin1');
    const other = said.replace(from, to);
    return said === other ? null : { content: Buffer.from(other, 'latin1') };
  };

const bundle: readonly KnownLie[] = [
  lie('bundle', 'a content that was altered', /wrong-digest/, text(/(\r\n\r\nsmall )\d/, '$1x')),
  lie('bundle', 'one that is cut off', /malformed/, ({ content }, random) => ({
    content: content.subarray(0, random.between(1, content.length - 3)),
  })),
  lie('bundle', 'something behind its end', 'nothing', ({ content }) => ({
    content: Buffer.concat([content, Buffer.from('\r\n--more')]),
  })),
  lie('bundle', 'another media type', /malformed/, () => ({ fields: { 'Content-Type': 'text/html' } })),
  lie('bundle', 'another epoch in the middle', /malformed|out-of-date/, text(/(WLIS-Seq: \d+;epoch=")1/, '$12')),
  lie('bundle', 'a number that jumps', 'nothing', text(/WLIS-Seq: \d+/, 'WLIS-Seq: 999999')),
  lie(
    'bundle',
    'a content of a length without an end',
    /malformed|too-large/,
    text(/Content-Length: \d+/, 'Content-Length: 99999999999'),
  ),
  lie('bundle', 'the first part without an end', 'nothing', ({ content, status, fields }) => {
    const boundary = content.subarray(0, content.indexOf('\r\n') + 2);
    const part = content.subarray(0, content.indexOf(boundary, 1));
    return part.length === 0 ? null : { pour: (response) => endless(response, status, fields, () => part) };
  }),
];

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

/** All of what a node may say to another one that replicates from it. */
export const liesAboutChanges: readonly KnownLie[] = [...anyAnswer('changes'), ...changes, ...trie];
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
export const liesAboutContents: readonly KnownLie[] = [
  ...[...anyAnswer('blob'), ...contents('blob'), ...blob],
  ...[...anyAnswer('blocks'), ...contents('blocks')],
  ...[...anyAnswer('bundle'), ...bundle],
];
