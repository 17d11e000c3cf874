import assert from 'node:assert/strict';
import fc from 'fast-check';
import { domOf, ways } from './page-dom.js';
import { hostileMarkup, orderlyMarkup } from './hostile-markup.js';
import { bar, link, mark, recipe, rooted, spliced, undone, unspliced } from './splicing.js';

/** Where links, images and forms of a document lead. */
const leading = (dom: readonly string[]): string[] =>
  dom.flatMap((line) => {
    const [, element = ''] = /^[ #]*<(\w+) /.exec(line) ?? [];
    const attribute = { a: 'href', img: 'src', form: 'action', button: 'formaction' }[element];
    const found = attribute === undefined ? null : new RegExp(` \\w*:${attribute}="(/[^"]*)"`).exec(line);
    return found?.[1] === undefined ? [] : [found[1]];
  });

describe('a view of a page in odd markup', () => {
  const urls = recipe({ urls: rooted });

  it('is the document that it was, with scripts and without, but for what was put in', () => {
    fc.assert(
      fc.property(hostileMarkup, (page) => {
        const view = spliced(page, { recipe: urls });
        for (const way of ways) assert.deepEqual(domOf(view, way, undone), domOf(page, way, unspliced));
      }),
      { numRuns: 1500 },
    );
  });

  it('has nothing put into raw text where a meta stands in it that browsers take the encoding from', () => {
    for (const element of ['script', 'style', 'title', 'noscript']) {
      const raw = `<${element}>"<meta charset=utf-8>"</${element}>`;
      for (const [before, after] of [
        ['', '<p>x'],
        ['<html><head>', '<title>x</title><body>x'],
        ['<!doctype html><head>', '</head><body>x'],
      ] as const) {
        for (const size of [1, 1000]) {
          const view = spliced(before + raw + after, { size });
          assert.ok(view.includes(raw), view);
        }
      }
    }
  });

  it('is the same bytes in whatever chunks the page comes', () => {
    fc.assert(
      fc.property(hostileMarkup, fc.integer({ min: 1, max: 7 }), (page, size) => {
        assert.equal(spliced(page, { recipe: urls, size }), spliced(page, { recipe: urls }));
      }),
      { numRuns: 1500 },
    );
  });

  it('has every byte of the page outside of what was put in', () => {
    fc.assert(
      fc.property(hostileMarkup, (page) => {
        assert.equal(spliced(page).replace(bar.markup, '').replace(link, ''), page);
      }),
      { numRuns: 1000 },
    );
  });

  it('has all URLs rewritten where the markup is in order, and no text, script or comment changed', () => {
    fc.assert(
      fc.property(orderlyMarkup, (page) => {
        const view = spliced(page, { recipe: urls });
        const dom = domOf(view, false);
        assert.deepEqual(
          leading(dom).filter((url) => !url.startsWith(mark)),
          [],
        );
        for (const way of ways) assert.deepEqual(domOf(view, way, undone), domOf(page, way, unspliced));
        assert.equal(view.includes(`${mark}/no`), false, view);
      }),
      { numRuns: 500 },
    );
  });
});
