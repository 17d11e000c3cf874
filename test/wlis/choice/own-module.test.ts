import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createLogger } from '../../../proxy/base/logger.js';
import { checkedPolicy } from '../../../wlis/choice/checked-policy.js';
import type { ChoicePolicy } from '../../../wlis/choice/choice.js';
import { loadPolicy } from '../../../wlis/choice/policy-module.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { candidate, question } from './candidate-example.js';

const three = ['a', 'b', 'c'].map((name) => candidate(name));
const chance = (): number => 0.5;
const urls = (ranked: ReturnType<ChoicePolicy>): string[] => ranked.map((one) => one.candidate.url.slice(8, 9));

describe('the choice by a module of the operator', () => {
  let directory: TempDir;
  let path: string;

  beforeEach(async () => {
    directory = await TempDir.create();
    path = `${directory.path}/my-choice.js`;
  });

  afterEach(() => directory.remove());

  const loaded = async (text: string): Promise<ChoicePolicy> => {
    await writeFile(path, text);
    return loadPolicy(path, text);
  };

  const backwards = 'export default (all) => all.map((candidate, i) => ({ candidate, score: -i })).reverse();';

  it('is that of its default export', async () => {
    assert.deepEqual(urls((await loaded(backwards))(three, question(), chance)), ['c', 'b', 'a']);
  });

  it('is loaded anew when the file has another content', async () => {
    await loaded(backwards);
    const forwards = await loaded('export default (all) => all.map((candidate, i) => ({ candidate, score: i }));');
    assert.deepEqual(urls(forwards(three, question(), chance)), ['a', 'b', 'c']);
  });

  it('is refused if it cannot be loaded, or exports no function', async () => {
    await assert.rejects(loaded('export default 7;'), /its default export is no function/);
    await assert.rejects(loaded('export const policy = () => [];'), /its default export is no function/);
    await assert.rejects(loaded('this is no module'));
    await assert.rejects(loaded('throw new Error("at once");'), /at once/);
  });

  describe('that does something wrong', () => {
    let clock: FakeClock;
    let faults: { readonly error: { readonly message: string }; readonly faults: number }[];

    beforeEach(() => {
      clock = new FakeClock();
      faults = [];
    });

    const checked = (policy: unknown): ChoicePolicy => {
      const logger = createLogger({
        level: 'warn',
        write: (line) => void faults.push(JSON.parse(line) as (typeof faults)[number]),
      });
      const instead: ChoicePolicy = (all) => all.map((one, i) => ({ candidate: one, score: i }));
      return checkedPolicy({ policy: policy as ChoicePolicy, instead, path, logger, clock });
    };

    const ranked = (policy: unknown): string[] => urls(checked(policy)(three, question(), chance));

    const [a, b, c] = three;

    it('is replaced for that choice, and the log says what it did', () => {
      const wrong: readonly (readonly [policy: unknown, said: RegExp])[] = [
        [() => undefined, /no list/],
        [() => 'abc', /no list/],
        [() => [null], /none of the candidates/],
        [() => [{ candidate: { ...a }, score: 1 }], /none of the candidates/],
        [() => [a, b, c], /none of the candidates/],
        [
          () => [
            { candidate: a, score: 1 },
            { candidate: a, score: 2 },
          ],
          /twice/,
        ],
        [() => [{ candidate: a, score: 'low' }], /no number/],
        [() => [{ candidate: a, score: NaN }], /no number/],
        [
          () => {
            throw new Error('out of order');
          },
          /out of order/,
        ],
        [(all: unknown[]) => all.push(7), /object is not extensible/],
        [(_: unknown, of: { other?: { deeper: unknown } }) => [of.other?.deeper], /none of the candidates/],
      ];
      for (const [policy, said] of wrong) {
        faults.length = 0;
        assert.deepEqual(ranked(policy), ['a', 'b', 'c'], String(said));
        assert.match(faults[0]?.error.message ?? '', said);
      }
    });

    it('is told of once a minute', () => {
      const policy = checked(() => null);
      for (let i = 0; i < 100; i++) policy(three, question(), chance);
      assert.equal(faults.length, 1);
      clock.advance(60_000);
      policy(three, question(), chance);
      assert.equal(faults.length, 2);
      assert.equal(faults[1]?.faults, 101);
    });

    it('keeps those at the end that it leaves out', () => {
      assert.deepEqual(
        ranked(() => [{ candidate: c, score: 0 }]),
        ['c', 'a', 'b'],
      );
      assert.deepEqual(
        ranked(() => []),
        ['a', 'b', 'c'],
      );
      assert.deepEqual(faults, []);
    });
  });
});
