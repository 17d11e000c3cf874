import { bytes } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { PageIndex } from '../../../wlis/search/page-index.js';
import { digestOfText } from '../../../wlis/trust/digest.js';

// Prints what an index of so many pages takes in memory, and what it says that it takes. To be run with --expose-gc.

const namespace = parseNamespace('http://docs.example/');
const pages = Number(process.argv[2]);

/** Words are about as frequent as in a manual: the n-th with a share of 1/n. */
function textOf(page: number, words: number, vocabulary: number): string {
  let state = page * 7919 + 1;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  return Array.from({ length: words }, () => `w${Math.floor(vocabulary ** next()).toString(36)}`).join(' ');
}

function inUse(): number {
  for (let times = 0; times < 3; times++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function fill(index: PageIndex, count: number): void {
  for (let at = 0; at < count; at++) {
    const text = textOf(at, 1500, 30_000);
    const path = `section${at % 17}/page${at}.html`;
    const title = `Page ${at} of the manual`;
    index.put({
      namespace,
      path,
      digest: digestOfText(path),
      title,
      headings: text.slice(0, 200),
      description: '',
      text,
    });
  }
}

// what the program itself takes is not counted
fill(new PageIndex(bytes(1 << 30)), 30);
const before = inUse();
const index = new PageIndex(bytes(1 << 30));
fill(index, pages);
const taken = inUse() - before;
process.stdout.write(`${JSON.stringify({ taken, said: index.usage.bytes, documents: index.usage.documents })}\n`);
