import { formatHttpDate } from '../http/http-date.js';
import { BufferedBody } from '../http/body.js';
import { Fields } from '../http/fields.js';
import { escapeHtml, htmlPage } from '../http/html-page.js';
import type { Request, Response } from '../http/message.js';
import type { EpochMs } from '../../config/units.js';

export interface HelpFacts {
  readonly name: string;
  /** `host:port` of the forward proxy, as the reader reached it. */
  readonly proxy: string;
  readonly site: string | null;
  readonly admin: string | null;
}

/** What somebody sees who types the proxy's address into a browser: what this is, and how to use it. */
export function helpPage(request: Request, facts: HelpFacts, now: EpochMs): Response {
  const content = Buffer.from(html(facts));
  return {
    status: 200,
    reason: 'OK',
    fields: Fields.of({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': String(content.length),
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
      'X-Content-Type-Options': 'nosniff',
      Date: formatHttpDate(now),
    }),
    body: request.method === 'HEAD' ? null : BufferedBody.from(content),
  };
}

function html({ name, proxy, site, admin }: HelpFacts): string {
  const [host, port] = splitAuthority(proxy);
  const line = (text: string): string => `<pre><code>${escapeHtml(text)}</code></pre>`;
  return htmlPage({
    title: `Willis on ${name}`,
    style,
    main: `<h1>Willis is running</h1>
<p>This is a caching web proxy. It does not show pages at this address: tell your programs to use it, and visit them as usual.</p>
<h2>A browser</h2>
<p>In its network settings choose automatic proxy configuration, with this URL:</p>
${line(`http://${proxy}/proxy.pac`)}
<p>Or a manual proxy for HTTP and HTTPS:</p>
<dl><dt>Host</dt><dd><code>${escapeHtml(host)}</code></dd><dt>Port</dt><dd><code>${escapeHtml(port)}</code></dd></dl>
<h2>curl, wget, and whatever obeys the environment</h2>
${line(`export http_proxy=http://${proxy}\nexport https_proxy=$http_proxy\ncurl -I http://www.example.org/`)}
<h2>apt</h2>
${line(`echo 'Acquire::http::Proxy "http://${proxy}";' |\n  sudo tee /etc/apt/apt.conf.d/80willis`)}
<h2>npm and git</h2>
${line(`npm config set proxy http://${proxy}\nnpm config set https-proxy http://${proxy}\ngit config --global http.proxy http://${proxy}`)}
<h2>What was cached</h2>
<p>The field <code>Cache-Status</code> of every answer says what was done for it: <code>hit</code>, or why it was forwarded.</p>
${site === null ? '' : `<h2>In front of a site</h2><p>List it under <code>sites</code> in <code>proxy.config.yaml</code>; it is served at <code>${escapeHtml(site)}</code>.</p>`}
${admin === null ? '' : `<h2>Is it well?</h2><p><code>${escapeHtml(admin)}healthz</code></p>`}
`,
  });
}

const style = `
pre{margin:.3rem 0;padding:.6rem .9rem;border-radius:.4rem;background:var(--paper);white-space:pre-wrap}
dl{display:grid;align-items:baseline;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0}
dt{color:var(--soft)}
dd{margin:0}
`;

function splitAuthority(authority: string): [string, string] {
  const colon = authority.lastIndexOf(':');
  return colon === -1 || authority.endsWith(']')
    ? [authority, '80']
    : [authority.slice(0, colon), authority.slice(colon + 1)];
}
