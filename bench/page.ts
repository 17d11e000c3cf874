/** What stands around results in the page. */
export interface Marks {
  readonly begin: string;
  readonly end: string;
}

const ofPeers: Marks = {
  begin: '<!-- results: begin (written by npm run bench) -->',
  end: '<!-- results: end -->',
};

/**
 * The page with new results between its two marks; all around them is kept.
 * @throws Error when the marks are missing or in the wrong order.
 */
export function withResults(page: string, results: string, { begin, end }: Marks = ofPeers): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the page has no ${begin} … ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${results}\n\n${page.slice(to)}`;
}
