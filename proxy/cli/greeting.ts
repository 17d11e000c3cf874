import { formatOriginUri, formatProxyUri } from '../../config/origin-uri.js';
import type { Config, PublishedNamespace, ReplicatedNamespaceKeys } from '../../config/schema.js';
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
  if (site !== undefined) lines.push(...sideHints(config, site));
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

function sideHints(config: Config, url: string): string[] {
  const { primary, replicated, sites } = config;
  const hints = [
    ...namespaceHints('Published here:', primary.namespaces.map(publishedLine), url),
    ...namespaceHints('Replicated here:', replicated.namespaces.map(replicatedLine), url),
  ];
  return hints.length > 0 && sites.length === 0 ? hints : [...hints, '', ...siteHints(config, url)];
}

interface NamespaceLine {
  readonly namespace: string;
  readonly line: string;
}

const publishedLine = ({ url, directory }: PublishedNamespace): NamespaceLine => ({
  namespace: url,
  line: `${url} from ${directory}`,
});

const replicatedLine = ({ url, from }: ReplicatedNamespaceKeys): NamespaceLine => ({
  namespace: url,
  line: `${url} from ${formatProxyUri(from)}`,
});

/** More than that nobody reads at a start. */
const mostHints = 8;

function namespaceHints(title: string, lines: readonly NamespaceLine[], url: string): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > mostHints ? [`  and ${lines.length - mostHints} more: willis namespaces`] : [];
  const shown = lines.slice(0, mostHints);
  return ['', title, ...shown.flatMap(({ namespace, line }) => [`  ${line}`, ...tried(namespace, url)]), ...more];
}

/** How to ask this node for it, whoever its name leads to. */
function tried(namespace: string, url: string): string[] {
  const [wanted, here] = [new URL(namespace), new URL(url)];
  if (wanted.origin === here.origin) return [`    curl ${namespace}`];
  // behind whatever ends its TLS it is asked by that
  if (wanted.protocol !== here.protocol) return [];
  const [from, to] = [wanted, here].map(({ hostname, port, protocol }) => {
    const usual = protocol === 'https:' ? '443' : '80';
    return `${hostname}:${port === '' ? usual : port}`;
  });
  return [`    curl --connect-to ${from ?? ''}:${to ?? ''} ${namespace}`];
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
