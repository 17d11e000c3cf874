import { parseHeadField } from '../../wlis/calls/head-field.js';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { tailText, type ListTail } from '../../wlis/trust/record-list.js';
import type { Seeded } from '../faults/seeded.js';
import { alteredJws, anyAnswer, HEAD, lie, told, type KnownLie } from './lies.js';
import type { Truth, Untruth } from './lying-parent.js';

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
  compared('a digest that was altered', /wrong-digest|malformed/, ({ content }) => ({
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

/** What may be said to one that asks for news. */
export const liesAboutChanges: readonly KnownLie[] = [...anyAnswer('changes'), ...changes, ...trie];
