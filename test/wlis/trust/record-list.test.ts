import assert from 'node:assert/strict';
import fc from 'fast-check';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { ListReader, tailText, type ListTail } from '../../../wlis/trust/record-list.js';
import { parseRecord, recordText } from '../../../wlis/trust/record.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { recordOf } from './record-example.js';

const tailOf = (count: number): ListTail => ({ count, seq: 7, root: digestOfText('root') });

const listOf = (lines: readonly string[], tail = tailOf(lines.length)): string =>
  [...lines, tailText(tail), ''].join('\n');

const read = (pieces: readonly string[]): { lines: string[]; tail: ListTail } => {
  const reader = new ListReader(1000);
  const lines = pieces.flatMap((piece) => reader.take(piece));
  return { lines, tail: reader.end() };
};

describe('lists', () => {
  const records = ['a', '"kind":"tail/1"', 'b\u00fc'].map((value, i) =>
    recordText(recordOf(`page${i}`, { fields: [['x-any', value.replaceAll('\u00fc', '\u00e9')]] })),
  );

  it('give their lines and their tail, wherever they are cut into pieces', () => {
    const text = listOf(records);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const at = [0, ...cuts, text.length].sort((a, b) => a - b);
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        assert.deepEqual(read(pieces), { lines: records, tail: tailOf(3) });
      }),
    );
  });

  const table = vectors('list') as {
    readonly lists: readonly { readonly list: string; readonly lines: number; readonly tail: ListTail }[];
    readonly refused: readonly { readonly why: string; readonly list: string }[];
  };

  it('of docs/vectors/list.json have those lines and tails', () => {
    for (const { list, lines, tail } of table.lists) {
      const { lines: texts, tail: end } = read([list]);
      assert.deepEqual([texts.length, end], [lines, tail]);
      for (const line of texts) parseRecord(line);
    }
  });

  for (const { why, list } of table.refused) {
    it(`of docs/vectors/list.json are refused: ${why}`, () =>
      assert.throws(() => read([list]), disbelief('malformed')));
  }

  it('of nothing are a tail', () => assert.deepEqual(read([listOf([])]), { lines: [], tail: tailOf(0) }));

  it('cut short anywhere, have no end', () => {
    const text = listOf(records);
    for (let end = 0; end < text.length; end++) {
      assert.throws(() => read([text.slice(0, end)]), disbelief('malformed', /cut short/));
    }
  });

  it('with lines missing, too many, behind the tail, empty or too long are refused', () => {
    assert.throws(() => read([listOf(records, tailOf(4))]), disbelief('malformed', /3 lines where the tail says 4/));
    assert.throws(() => read([listOf(records, tailOf(2))]), disbelief('malformed', /3 lines where the tail says 2/));
    assert.throws(() => read([`${listOf(records)}{}\n`]), disbelief('malformed', /behind the tail/));
    assert.throws(() => read([`${listOf(records)}{`]), disbelief('malformed', /cut short/));
    assert.throws(() => read(['\n']), disbelief('malformed', /line 1 is empty/));
    assert.throws(() => read(['x'.repeat(1001)]), disbelief('too-large', /line 1 is longer than 1000/));
    assert.throws(() => read([`{}\n${'x'.repeat(1001)}\n`]), disbelief('too-large'));
    const extra = tailText(tailOf(0)).replace('}', ',"x":1}');
    assert.throws(() => read([`${extra}\n`]), disbelief('malformed', /unknown member/));
  });
});
