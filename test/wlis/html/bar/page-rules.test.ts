import assert from 'node:assert/strict';
import { PageRules } from '../../../../wlis/html/bar/page-rules.js';

const nothing = { alternates: null, bar: null, links: null };
const rulesOf = (rules: ConstructorParameters<typeof PageRules>[0]['rules'], usual = true): PageRules =>
  new PageRules({ alternates: usual, bar: false, links: usual, rules });

describe('the rules for pages', () => {
  it('are those of the first that matches, and for what it does not say what holds for all', () => {
    const rules = rulesOf([
      { ...nothing, match: 'http://a.example/x/', bar: true },
      { ...nothing, match: 'http://a.example/**', alternates: false },
    ]);
    assert.deepEqual(rules.of('http://a.example/x/y'), { alternates: true, bar: true, links: true });
    assert.deepEqual(rules.of('http://a.example/y'), { alternates: false, bar: false, links: true });
    assert.deepEqual(rules.of('http://b.example/'), { alternates: true, bar: false, links: true });
  });

  it('are about URIs without their query, and hosts in any case', () => {
    const rules = rulesOf([{ ...nothing, match: 'HTTP://A.example/x', bar: true }]);
    assert.equal(rules.of('http://a.example/x?y=http://b.example/').bar, true);
    assert.equal(rules.of('http://b.example/?http://a.example/x').bar, false);
  });

  it('leave all pages as they are if neither they nor the usual want anything', () => {
    assert.equal(rulesOf([{ ...nothing, match: 'http://a.example/' }], false).leavesAll, true);
    assert.equal(rulesOf([{ ...nothing, match: 'http://a.example/', links: true }], false).leavesAll, false);
    assert.equal(rulesOf([]).leavesAll, false);
  });
});
