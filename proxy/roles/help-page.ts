import { formatHttpDate } from '../http/http-date.js';
import { BufferedBody } from '../http/body.js';
import { Fields } from '../http/fields.js';
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
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Willis on ${escapeHtml(name)}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .3rem; }
pre { overflow-x: auto; padding: .7rem .9rem; border-radius: .4rem; background: color-mix(in srgb, currentColor 8%, transparent); }
table { border-collapse: collapse; } td { padding: .15rem 1.2rem .15rem 0; }
</style>
</head>
<body>
<h1>Willis is running</h1>
<p>This is a caching web proxy. It does not show pages at this address: tell your programs to use it, and visit them as usual.</p>
<h2>A browser</h2>
<p>In its network settings choose a manual proxy for HTTP and HTTPS:</p>
<table><tr><td>Host</td><td><code>${escapeHtml(host)}</code></td></tr><tr><td>Port</td><td><code>${escapeHtml(port)}</code></td></tr></table>
<h2>curl, wget, and whatever obeys the environment</h2>
${line(`export http_proxy=http://${proxy} https_proxy=http://${proxy}\ncurl -I http://www.example.org/`)}
<h2>apt</h2>
${line(`echo 'Acquire::http::Proxy "http://${proxy}";' | sudo tee /etc/apt/apt.conf.d/80willis`)}
<h2>npm and git</h2>
${line(`npm config set proxy http://${proxy}\nnpm config set https-proxy http://${proxy}\ngit config --global http.proxy http://${proxy}`)}
<p>The field <code>Cache-Status</code> of every answer says what was done for it: <code>hit</code>, or why it was forwarded.</p>
${site === null ? '' : `<h2>In front of a site</h2><p>List it under <code>sites</code> in <code>proxy.config.yaml</code>; it is served at <code>${escapeHtml(site)}</code>.</p>`}
${admin === null ? '' : `<p>Is it well? <code>${escapeHtml(admin)}healthz</code></p>`}
</body>
</html>
`;
}

function splitAuthority(authority: string): [string, string] {
  const colon = authority.lastIndexOf(':');
  return colon === -1 || authority.endsWith(']')
    ? [authority, '80']
    : [authority.slice(0, colon), authority.slice(colon + 1)];
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
