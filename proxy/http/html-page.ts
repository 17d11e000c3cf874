export interface HtmlPage {
  /** As text. */
  readonly title: string;
  /** What it has in `head` besides. */
  readonly head?: string;
  /** What of its looks is not that of all pages. */
  readonly style: string;
  /** What it says. */
  readonly main: string;
}

/** A page for a person: self-contained, without scripts, and light or dark as the reader's browser is. */
export const htmlPage = ({ title, head = '', style, main }: HtmlPage): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${head}<title>${escapeHtml(title)}</title>
<style>${usualStyle}${style}</style>
</head>
<body>
<main>
${main}</main>
</body>
</html>
`;

/** The text as content or as a quoted attribute's value; what does not show is shown as a question mark. */
export function escapeHtml(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?');
  return visible.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const usualStyle = `
:root{color-scheme:light dark;--ink:#1c2127;--soft:#5c6670;--paper:#f6f5f1;--card:#fff;--line:#dcdad3;--bad:#b3261e;--good:#2e7245}
@media (prefers-color-scheme:dark){:root{--ink:#e8e6e1;--soft:#a0a8b0;--paper:#15181b;--card:#1e2226;--line:#353a40;--bad:#ff8a80;--good:#7ccf98}}
*{box-sizing:border-box}
body{margin:0;padding:6vh 1rem 2rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{max-width:46rem;margin:auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
h1{margin:0 0 .5rem;font-size:1.6rem;line-height:1.25}
h2{margin:1.5rem 0 .3rem;font-size:1rem}
p{margin:.5rem 0}
code{font:.9em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
`;
