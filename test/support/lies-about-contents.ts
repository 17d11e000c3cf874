import type { Seeded } from '../faults/seeded.js';
import { anyAnswer, endless, lie, type KnownLie, type Tell } from './lies.js';

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
    // in the last part at the latest: what only lacks its end tells all that was asked for, and nothing false
    content: content.subarray(0, random.between(1, content.lastIndexOf('\r\n--'))),
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

/** What may be said to one that asks for contents. */
export const liesAboutContents: readonly KnownLie[] = [
  ...[...anyAnswer('blob'), ...contents('blob'), ...blob],
  ...[...anyAnswer('blocks'), ...contents('blocks')],
  ...[...anyAnswer('bundle'), ...bundle],
];
