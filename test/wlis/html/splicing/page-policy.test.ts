import assert from 'node:assert/strict';
import { PagePolicy } from '../../../../wlis/html/splicing/page-policy.js';

const allows = (
  policies: readonly string[],
  formAction: string | null = null,
  url = 'http://docs.example/a',
): boolean => PagePolicy.of(url, policies).allows({ markup: '', formAction });

const form = 'http://proxy.wlis/choice';

describe('the policy of a page', () => {
  it('lets a bar in where inline style is allowed by the directive that counts', () => {
    for (const policy of [
      '',
      "script-src 'none'",
      "style-src 'unsafe-inline'",
      "default-src 'none'; style-src 'UNSAFE-inline' x",
    ]) {
      assert.equal(allows([policy]), true, policy);
    }
    assert.equal(allows(["style-src 'none'; style-src-elem 'unsafe-inline'"]), true);
    assert.equal(allows(["default-src 'unsafe-inline'; require-trusted-types-for 'script'"]), true);
    for (const policy of [
      "default-src 'self'",
      "style-src *; default-src 'unsafe-inline'",
      "style-src-elem 'self'",
      'style-src',
    ]) {
      assert.equal(allows([policy]), false, policy);
    }
  });

  it('does not let it in by a hash or nonce, beside which unsafe-inline counts for nothing', () => {
    for (const source of ["'nonce-abc'", "'sha256-abc='", "'sha384-x'", "'sha512-x'"]) {
      assert.equal(allows([`style-src 'unsafe-inline' ${source}`]), false, source);
    }
  });

  it('is all policies together, of which each has the first directive of a name', () => {
    assert.equal(allows(["img-src x, style-src 'self'"]), false);
    assert.equal(allows(['img-src x', "style-src 'self'"]), false);
    assert.equal(allows(["style-src 'unsafe-inline'; style-src 'none'"]), true);
    assert.equal(allows(["style-src 'none'; style-src 'unsafe-inline'"]), false);
  });

  it('of a sandbox lets it in if forms are allowed', () => {
    assert.equal(allows(['sandbox allow-scripts']), false);
    assert.equal(allows(['sandbox allow-scripts Allow-Forms']), true);
  });

  it('lets a form in if it may lead there and back to the page', () => {
    assert.equal(allows(["form-action 'none'"]), true);
    for (const sources of [
      '*',
      'http:',
      "'self' http://proxy.wlis",
      "'self' proxy.wlis:80",
      "'self' *.wlis",
      'proxy.wlis docs.example',
    ]) {
      assert.equal(allows([`form-action ${sources}`], form), true, sources);
    }
    for (const sources of [
      "'none'",
      "'self'",
      'http://proxy.wlis',
      'https:',
      "'self' proxy.wlis:8080",
      "'self' proxy.wlis/other",
      '',
    ]) {
      assert.equal(allows([`form-action ${sources}`], form), false, sources);
    }
    assert.equal(allows(["form-action 'self'"], '/choice'), true);
    assert.equal(allows(["form-action 'self'"], 'http://['), false);
  });

  it('is also what a meta in the page says, but for the sandbox', () => {
    const policy = PagePolicy.of('http://docs.example/', []);
    const bar = { markup: '', formAction: null };
    assert.equal(policy.and("style-src 'self'").allows(bar), false);
    assert.equal(policy.and('sandbox').allows(bar), true);
    assert.equal(policy.allows(bar), true);
  });
});
