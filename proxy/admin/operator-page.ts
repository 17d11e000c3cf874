import { escapeHtml } from '../http/error-page.js';
import type { OperatorAnswer } from './operator-answers.js';

/** What an operator sees who opens the operator side in a browser: what there is, and how it is used. */
export const operatorPage = (name: string): OperatorAnswer => ({
  ...{ status: 200, reason: 'OK', type: 'text/html; charset=utf-8', text: html(name) },
  more: {
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
  },
});

const commands: readonly (readonly [command: string, meaning: string])[] = [
  ['willis stats -w', 'what is going on, drawn anew every second'],
  ['willis explain http://www.example.org/', 'what is stored for a URL, and what the next request would do and why'],
  ['willis purge http://www.example.org/page', 'mark it stale; --hard forgets it, --prefix takes all that begins so'],
];

const resources: readonly (readonly [resource: string, meaning: string])[] = [
  ['GET /healthz', 'the process is up (for everybody)'],
  ['GET /readyz', 'it takes requests; 503 while it starts or stops (for everybody)'],
  ['GET /metrics', 'metrics for Prometheus'],
  ['GET /api/stats', 'the same numbers as JSON'],
  ['POST /api/purge', '{"uri" | "prefix" | "host" | "group" and "origin": …, "hard": false}'],
  [
    'POST /api/explain',
    '{"url": …, "method": "GET", "fields": [[name, value]], "side": "proxy" | "site", "client": …}',
  ],
  ['POST /api/reload', 'read the configuration file again'],
];

const row = ([code, meaning]: readonly [string, string]): string =>
  `<dt><code>${escapeHtml(code)}</code></dt><dd>${escapeHtml(meaning)}</dd>\n`;

const html = (name: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Operator side of ${escapeHtml(name)}</title>
<style>
:root { color-scheme: light dark; --ink: #1c2127; --soft: #5c6670; --paper: #f6f5f1; --card: #fff; --line: #dcdad3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #a0a8b0; --paper: #15181b; --card: #1e2226; --line: #353a40; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 6vh 1rem 2rem; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 46rem; margin: auto; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; line-height: 1.25; }
h2 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
p { margin: .5rem 0; }
code { font: .9em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
dl { margin: .5rem 0; }
dd { margin: 0 0 .5rem 1.5rem; color: var(--soft); }
</style>
</head>
<body>
<main>
<h1>Operator side of ${escapeHtml(name)}</h1>
<h2>From a terminal</h2>
<dl>
${commands.map(row).join('')}</dl>
<h2>For programs</h2>
<dl>
${resources.map(row).join('')}</dl>
<p>Content is JSON, of the type <code>application/json</code>. Programs of this machine need no more; others send the token in the file that <code>access.operator.tokenFile</code> names, as <code>Authorization: Bearer …</code>.</p>
</main>
</body>
</html>
`;
