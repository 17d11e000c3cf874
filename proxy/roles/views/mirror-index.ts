import type { EpochMs } from '../../../config/units.js';
import { MIRROR, nameSpace, pathSpace } from '../../../wlis/html/mirror/mirror-space.js';
import type { Namespace } from '../../../wlis/namespace.js';
import { BufferedBody } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import { escapeHtml, htmlPage } from '../../http/html-page.js';
import { formatHttpDate } from '../../http/http-date.js';
import type { Request, Response } from '../../http/message.js';
import { refuseMisuse } from './mirror-answers.js';

export interface MirrorIndexFacts {
  /** Of the node, for people. */
  readonly name: string;
  readonly shown: readonly Namespace[];
  /** Behind a label, of the names that namespaces have here: `.m.example:8080`; null if they have none. */
  readonly suffix: string | null;
}

/** The page at `/mirror/`: which namespaces can be read here. @throws WillisError method-not-allowed */
export function mirrorIndex(request: Request, facts: MirrorIndexFacts, now: EpochMs): Response {
  refuseMisuse(request, null);
  const content = Buffer.from(html(facts));
  return {
    status: 200,
    reason: 'OK',
    fields: Fields.of({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': String(content.length),
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
      'X-Content-Type-Options': 'nosniff',
      Date: formatHttpDate(now),
    }),
    body: request.method === 'HEAD' ? null : BufferedBody.from(content),
  };
}

function html({ name, shown, suffix }: MirrorIndexFacts): string {
  const items = shown.slice(0, mostShown).map((one) => `<li>${links(one, suffix)}</li>`);
  const left = shown.length - items.length;
  return htmlPage({
    title: `Copies held by ${name}`,
    style,
    main: `<h1>Copies held by ${escapeHtml(name)}</h1>
<p>This is a replica run by Willis. These parts of the web can be read here, also while their own servers cannot be reached:</p>
<ul>${items.join('\n')}</ul>
${left > 0 ? `<p>And ${left} more.</p>\n` : ''}`,
  });
}

function links(namespace: Namespace, suffix: string | null): string {
  const link = (href: string, text: string): string => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`;
  const path = link(pathSpace.placeOf(namespace).slice(MIRROR.length), namespace);
  if (suffix === null) return path;
  return `${path}<br><small>${link(nameSpace(suffix).placeOf(namespace), 'under a name of its own')}, where its pages may store what they need</small>`;
}

const mostShown = 1000;

const style = `
ul{padding-left:1.2rem}
li{margin:.5rem 0;overflow-wrap:anywhere}
small{color:var(--soft)}
a{color:inherit}
`;
