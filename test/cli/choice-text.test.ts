import assert from 'node:assert/strict';
import { bytes, epochMs, milliseconds } from '../../config/units.js';
import { choiceText } from '../../proxy/cli/choice-text.js';
import { plainStyle } from '../../proxy/cli/text-style.js';
import type { CandidateExplanation, ChoiceExplanation } from '../../wlis/choice/choice-explanation.js';

const candidate = (over: Partial<CandidateExplanation>): CandidateExplanation => ({
  url: 'http://m1.example',
  role: 'replica',
  score: 6.54321,
  latency: milliseconds(5.4),
  measuredBefore: milliseconds(3400),
  bandwidth: null,
  load: null,
  underWay: 0,
  breaker: 'closed',
  failure: null,
  hourFactor: 1,
  capacity: 1,
  lateBecause: null,
  ...over,
});

const choice = (over: Partial<ChoiceExplanation> = {}): ChoiceExplanation => ({
  namespace: 'http://docs.example/',
  policy: 'nearest',
  rule: null,
  candidates: [],
  skipped: [],
  ...over,
});

const told = (over: Partial<ChoiceExplanation>): string => choiceText(choice(over), plainStyle);

describe('what a person is told of a choice', () => {
  it('is a line for each candidate, in the order in which they would be tried, and why others are behind or left out', () => {
    const failure = { reason: 'silent', at: epochMs(0), detail: 'no answer in 5 s' };
    assert.equal(
      told({
        candidates: [
          candidate({ bandwidth: bytes(12_500_000), load: { value: 0.421, before: milliseconds(9000) }, underWay: 2 }),
          candidate({
            url: 'http://docs.example',
            role: 'primary',
            score: 123.4,
            latency: milliseconds(80.2),
            failure,
          }),
          candidate({
            ...{ url: 'http://m2.example', score: null, latency: null, measuredBefore: null, breaker: 'open', failure },
            lateBecause: 'breaker open: silent (no answer in 5 s) 3 s ago',
          }),
        ],
        skipped: [{ url: 'http://m3.example', because: 'holds another part' }],
      }),
      [
        '',
        'From whom http://docs.example/, by nearest',
        '  node                 role     score  first byte  measured   bandwidth            load  under way  state',
        '  http://m1.example    replica   6.54      5.4 ms   3 s ago  11.9 MiB/s  0.42 (9 s ago)          2  well',
        '  http://docs.example  primary    123       80 ms   3 s ago                                         well',
        '  http://m2.example    replica                                                                      looks down',
        '  http://m2.example last: breaker open: silent (no answer in 5 s) 3 s ago',
        '  http://docs.example failed before: silent: no answer in 5 s',
        '  http://m3.example left out: holds another part',
        '',
      ].join('\n'),
    );
  });

  it('has no columns of which nothing is known', () => {
    const text = told({ candidates: [candidate({ latency: null, measuredBefore: null })] });
    assert.match(text, /^ {2}node +role +score +state$/m);
  });

  it('says by which rule, and that nobody is left', () => {
    assert.equal(
      told({ rule: 'http://docs.example/**' }),
      '\nFrom whom http://docs.example/, by the rule for http://docs.example/**\n  nobody can be asked\n',
    );
  });

  it('shows nothing of what others say as it is', () => {
    const text = told({
      policy: '/etc/\u001b[31m.js',
      candidates: [candidate({ failure: { reason: 'false', at: epochMs(0), detail: 'x\u001b]0;title\u0007' } })],
      skipped: [{ url: 'http://a\n', because: 'b\u0000' }],
    });
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f]/);
    assert.equal(text.split('\n').length, 7);
  });
});
