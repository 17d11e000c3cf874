import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds fault with in a page as it is now, each with where it is. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + JSON.stringify(target) + failureSummary)))`,
  );
}

/** That a page fits, with nothing that axe-core finds fault with: in the light and in the dark, wide and narrow. */
export async function assertAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const fits = await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
      assert.equal(fits, true, `${width} pixels are enough`);
      assert.deepEqual(await accessibilityFaults(page), [], `${colorScheme}, ${width} pixels`);
    }
  }
}
