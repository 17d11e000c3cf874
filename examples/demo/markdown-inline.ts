/** The text of a paragraph: code, strong and emphasised words, links. Links to other pages in Markdown lead to what is made of them. */
export function inlineHtml(text: string): string {
  // code is taken out first: nothing in it is markup
  return text
    .split(/(`[^`]+`)/)
    .map((piece, index) => (index % 2 === 1 ? `<code>${escaped(piece.slice(1, -1))}</code>` : wordsHtml(piece)))
    .join('');
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function wordsHtml(text: string): string {
  return escaped(text)
    .replace(/!\[([^\]]*)\]\(docs\/(images\/[\w-]+\.png)\)/g, '<img src="$2" alt="$1">')
    .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, words: string, to: string) => linkHtml(words, to))
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/(?<![\w*])[*_]([^*_\s][^*_]*)[*_](?![\w*])/g, '<em>$1</em>')
    .replace(/\\([*_`|])/g, '$1');
}

/** What is no page of the site is only named. */
function linkHtml(words: string, to: string): string {
  if (/^https?:/.test(to)) return `<a href="${to}">${words}</a>`;
  const [, page, anchor = ''] = /^(?:docs\/|\.\.\/)?([\w-]+)\.md(#.*)?$/.exec(to) ?? [];
  if (page !== undefined) return `<a href="${pageName(page)}${anchor}">${words}</a>`;
  return to.startsWith('#') ? `<a href="${to}">${words}</a>` : words;
}

/** The file that is made of a page of that name. */
export const pageName = (name: string): string => (name === 'README' ? './' : `${name.toLowerCase()}.html`);
