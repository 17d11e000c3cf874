import { escapeHtml, htmlPage } from '../http/html-page.js';
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
  ['willis store stats', 'how the disk fares; verify reads and checks all of it'],
  ['willis groups', 'who holds what others publish; trust tells whom this node believes'],
  ['willis search WORDS', 'pages by their words, of what is held here and may be searched'],
  ['willis namespaces', 'how the namespaces fare; status, lag and changed tell and do more'],
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
  ['GET /api/store', 'what is stored, and how the disk fares; with ?largest what takes most'],
  ['POST /api/store/verify', '{"rate": "100MiB"} (a second): read and check everything; progress in lines of JSON'],
  ['POST /api/store/rebuild', 'make the index of the disk anew; the same'],
  ['POST /api/store/compact', 'give back the room of what was deleted; the same'],
  ['GET /api/namespaces', 'how the namespaces fare that are published or replicated here'],
  ['GET /api/namespaces/status?namespace=…', 'all that is known of one: its head, replicas, source and counters'],
  ['GET /api/search?q=…', 'pages by their words, of what is held here and may be searched'],
  ['POST /api/changed', '{"namespace": …, "allowRemovals": false}: publish what has changed; in lines of JSON'],
  ['POST /api/lag', '{"namespace": …}: wait until all replicas hold what it is now; the same'],
  ['POST /api/promote', '{"namespace": …}: become its primary, for good; the same'],
  ['POST /api/reload', 'read the configuration file again'],
];

const row = ([code, meaning]: readonly [string, string]): string =>
  `<dt><code>${escapeHtml(code)}</code></dt><dd>${escapeHtml(meaning)}</dd>\n`;

const html = (name: string): string =>
  htmlPage({
    title: `Operator side of ${name}`,
    style: 'dl{margin:.5rem 0}\ndd{margin:0 0 .5rem 1.5rem;color:var(--soft)}\n',
    main: `<h1>Operator side of ${escapeHtml(name)}</h1>
<h2>From a terminal</h2>
<dl>
${commands.map(row).join('')}</dl>
<h2>For programs</h2>
<dl>
${resources.map(row).join('')}</dl>
<p>Content is JSON, of the type <code>application/json</code>. Programs of this machine need no more; others send the token in the file that <code>access.operator.tokenFile</code> names, as <code>Authorization: Bearer …</code>.</p>
`,
  });
