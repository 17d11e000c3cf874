import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { parseArgs } from 'node:util';
import type { Body } from '../../proxy/http/body.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { inCoding, withoutCoding } from '../../wlis/html/views/content-codings.js';
import { htmlBeginning } from '../../wlis/html/splicing/html-beginning.js';
import { HtmlSplicer } from '../../wlis/html/splicing/html-splicer.js';
import { PagePolicy } from '../../wlis/html/splicing/page-policy.js';
import { SplicedBody } from '../../wlis/html/views/spliced-body.js';
import type { ViewRecipe } from '../../wlis/html/view-recipe.js';
import type { ViewCoding } from '../../wlis/html/views/viewable.js';
import { asProgram, say } from '../as-program.js';
import { median } from '../median.js';
import { table } from '../table.js';
import { notQuiet, thisMachine } from '../this-machine.js';

const usage = `npx tsx bench/views/splicing.ts [options]
  --pages DIRECTORY   HTML to make views of; the manual of apache2-doc without
  --rounds 9          of all pages, for each row`;

/** Of one page, without its coding. */
interface Sample {
  readonly content: Buffer;
  readonly coded: Readonly<Record<'identity' | 'gzip' | 'br', Buffer>>;
}

interface Row {
  readonly name: string;
  readonly run: (sample: Sample) => void | Promise<void>;
}

const chunk = 16_384;

const uri = 'http://docs.example/manual/page.html';

const withBar: ViewRecipe = {
  duplicates: Array.from({ length: 5 }, (_, place) => ({
    url: `http://m${place}.example/raw/x/page.html`,
    area: null,
  })),
  bar: { markup: `<willis-bar>${'<p>Some of what a bar says.</p>'.repeat(130)}</willis-bar>`, formAction: null },
  urls: null,
};

const withUrls: ViewRecipe = {
  ...withBar,
  urls: {
    key: 'bench',
    rewritten: (url) => (url.startsWith('.') || url.startsWith('/') ? `/mirror/label/${url}` : null),
  },
};

function splicerOf(recipe: ViewRecipe, content: Buffer): HtmlSplicer {
  const beginning = htmlBeginning(content.subarray(0, 65_536), 'text/html; charset=utf-8', content.length <= 65_536);
  if (beginning.kind !== 'document') throw new Error('a page is no document');
  return new HtmlSplicer(recipe, { page: PagePolicy.of(uri, []), uri, charset: beginning });
}

function splice({ content }: Sample, recipe: ViewRecipe): void {
  const splicer = splicerOf(recipe, content);
  for (let at = 0; at < content.length; at += chunk) splicer.push(content.subarray(at, at + chunk));
  splicer.end();
}

async function drained(body: Body): Promise<void> {
  while ((await body.read()) !== null);
}

async function recoded(
  { content, coded }: Sample,
  coding: ViewCoding & keyof Sample['coded'],
  recipe: ViewRecipe | null,
): Promise<void> {
  const plain = await withoutCoding(new BufferedBody([coded[coding]]), coding);
  await drained(inCoding(recipe === null ? plain : new SplicedBody(plain, splicerOf(recipe, content)), coding));
}

const rows: readonly Row[] = [
  { name: 'links and bar', run: (sample) => splice(sample, withBar) },
  { name: 'links, bar and URLs', run: (sample) => splice(sample, withUrls) },
  { name: 'gzip undone and redone, nothing else', run: (sample) => recoded(sample, 'gzip', null) },
  { name: 'the same with links, bar and URLs', run: (sample) => recoded(sample, 'gzip', withUrls) },
  { name: 'br undone and redone, nothing else', run: (sample) => recoded(sample, 'br', null) },
  { name: 'the same with links, bar and URLs', run: (sample) => recoded(sample, 'br', withUrls) },
];

function samplesIn(directory: string): Sample[] {
  if (!existsSync(directory)) throw new Error(`${directory} is not there: install apache2-doc, or give --pages`);
  const names = readdirSync(directory).filter((name) => name.endsWith('.html'));
  return names.sort().map((name) => {
    const content = readFileSync(join(directory, name));
    const br = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
    return { content, coded: { identity: content, gzip: gzipSync(content), br } };
  });
}

/** CPU milliseconds for each 100 kB, of all threads. */
async function measured({ run }: Row, samples: readonly Sample[]): Promise<number> {
  const size = samples.reduce((sum, { content }) => sum + content.length, 0);
  const before = process.cpuUsage();
  for (const sample of samples) await run(sample);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / (size / 100_000);
}

await asProgram(usage, async (args, signal) => {
  const options = {
    pages: { type: 'string', default: '/usr/share/doc/apache2-doc/manual/en/mod' },
    rounds: { type: 'string', default: '9' },
  } as const;
  const { values } = parseArgs({ args: args.filter((one) => one !== '--'), options });
  const samples = samplesIn(values.pages);
  const size = samples.reduce((sum, { content }) => sum + content.length, 0);
  const results = rows.map((): number[] => []);
  for (let round = -2; round < Number(values.rounds); round++) {
    say(round < 0 ? 'warming up' : `round ${round + 1}`);
    for (const [place, row] of rows.entries()) {
      signal.throwIfAborted();
      const figure = await measured(row, samples);
      if (round >= 0) results[place]?.push(figure);
    }
  }
  const lines = rows.map(({ name }, place) => [
    name,
    median(results[place] ?? []).toFixed(2),
    Math.min(...(results[place] ?? [])).toFixed(2),
  ]);
  const about = `${samples.length} pages, ${(size / samples.length / 1000).toFixed(0)} kB each. ${thisMachine()}. ${notQuiet().join(' ')}`;
  process.stdout.write(`${about}\n\n${table(['ms for each 100 kB', 'median', 'best'], lines)}\n`);
});
