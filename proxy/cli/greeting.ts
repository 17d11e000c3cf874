import { formatOriginUri } from '../../config/origin-uri.js';
import type { Config } from '../../config/schema.js';
import type { Node } from '../roles/running-node.js';

/** What listens where and what to try with it, in plain lines. */
export function greeting(config: Config, listening: Node['listening'], version: string): string {
  const urls = new Map(listening.map(({ name, url }) => [name, url.replace(/\/$/, '')]));
  const lines = [`Willis ${version}, node ${config.node.name}`, ''];
  for (const [name, title] of titles) {
    lines.push(
      `  ${title.padEnd(28)} ${urls.get(name) ?? 'not open'}${config.listen[name] && urls.has(name) ? '/' : ''}`,
    );
  }
  const [proxy, site, admin] = titles.map(([name]) => reachable(urls.get(name)));
  if (proxy !== undefined) lines.push('', 'Go out through the proxy:', ...proxyHints(proxy));
  if (site !== undefined) lines.push('', ...siteHints(config, site));
  if (admin !== undefined) lines.push('', 'See whether it is well:', `  curl ${admin}/healthz`);
  return `${[...lines, '', 'Ctrl-C stops it; requests under way may finish, until a second Ctrl-C.'].join('\n')}\n`;
}

const titles = [
  ['proxy', 'forward proxy'],
  ['site', 'public (reverse) side'],
  ['admin', 'operator side'],
] as const;

/** The URL as it is used on this machine: nobody can connect to "all addresses". */
const reachable = (url: string | undefined): string | undefined =>
  url?.replace(/\/\/(?:\[::\]|0\.0\.0\.0)(?=:|$)/, '//127.0.0.1');

function proxyHints(url: string): string[] {
  const authority = url.replace(/^https?:\/\//, '');
  return [
    `  curl -x ${url} http://example.org/`,
    `  browser:  HTTP and HTTPS proxy ${authority}; ${url}/ shows a help page`,
    `  npm:      npm --proxy ${url} --https-proxy ${url} install`,
    `  apt:      apt-get -o Acquire::http::Proxy=${url} update`,
    `  git:      git -c http.proxy=${url} clone http://…`,
    `  others:   export http_proxy=${url} https_proxy=${url}`,
  ];
}

function siteHints(config: Config, url: string): string[] {
  const { sites } = config;
  if (sites.length === 0) {
    return [
      'Put it in front of a site: name its host and origin under sites in the configuration, then',
      `  curl ${url}/`,
    ];
  }
  return ['Sites:', ...sites.map((site) => `  ${site.host}${site.prefix} from ${formatOriginUri(site.origin)}`)];
}
