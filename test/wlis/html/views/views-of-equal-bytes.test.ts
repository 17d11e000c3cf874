import assert from 'node:assert/strict';
import { epochMs } from '../../../../config/units.js';
import { Fields } from '../../../../proxy/http/fields.js';
import type { Response } from '../../../../proxy/http/message.js';
import type { ViewRecipe } from '../../../../wlis/html/view-recipe.js';
import { received, visitor } from '../../../replication/serving/held-example.js';
import { ChunkedBody, navigation, ViewFixture } from './view-fixture.js';

const content = '<!doctype html><html><head><title>x</title></head><body><a href="../up">up</a></body></html>';

/** As documents that are held have them: a name for the bytes, whatever their path is. */
const held = (): Response => ({
  ...{ status: 200, reason: 'OK', fields: Fields.of({ 'Content-Type': 'text/html', ETag: '"1"' }) },
  body: new ChunkedBody([Buffer.from(content)]),
  provenance: { contentName: 'sha-256 x', receivedAt: epochMs(0), age: null, freshUntil: null, source: null } as never,
});

/** Where a link leads to goes by the path of its page, of which its key says nothing. */
const recipeOf = (path: string): ViewRecipe => ({
  ...{ duplicates: [], bar: null },
  urls: { key: 'mirror', rewritten: (url) => (url === '../up' ? `/from${path}` : null) },
});

describe('views of documents with the same bytes at several paths', () => {
  it('are each their own, those too that are made at the same time', async () => {
    const site = new ViewFixture();
    const paths = ['/a/x.html', '/b/c/x.html'];
    const seen = await Promise.all(
      paths.map(async (path) => {
        const request = { ...visitor(`http://docs.example.org${path}`), fields: Fields.of(navigation) };
        const answer = site.views.answer(request, 'mirror', held, () => recipeOf(path));
        return (await received(answer)).content.toString();
      }),
    );
    for (const [i, path] of paths.entries()) assert.ok(seen[i]?.includes(`href="/from${path}"`), path);
  });
});
