import { knownRange, type IpRange } from '../../proxy/http/ip-address.js';
import { localRanges, localSuffixes } from './local-hosts.js';

/** Where a browser is sent. */
export interface PacProxy {
  /** `host:port`; IPv6 literals in brackets. */
  readonly authority: string;
  /** Whether the browser speaks TLS with it. */
  readonly secure: boolean;
}

export interface PacFacts {
  /** Client-side proxies, the first one first. */
  readonly proxies: readonly PacProxy[];
  readonly direct: 'never' | 'fallback' | 'always';
  /** A host name, `*.example.org`, an address or a range, each. */
  readonly exceptions: readonly string[];
  /** Namespaces of http for which something else holds than for their hosts. */
  readonly namespaces: readonly PacNamespace[];
}

export interface PacNamespace {
  readonly namespace: string;
  /** That take requests for it, besides the proxies and before them. */
  readonly replicas: readonly PacProxy[];
}

/**
 * A proxy auto-configuration file: the function `FindProxyForURL` in ECMAScript 3, which asks no name server. In this order:
 *
 *     1. `.wlis`: the proxies alone, for nobody else knows such names
 *     2. exceptions: no proxy
 *     3. a namespace, the longest one that the URL begins with: its replicas, the proxies, and no proxy unless `never`
 *     4. a host without a dot, a local name or address: no proxy
 *     5. all others: the proxies, and no proxy if `fallback`; or no proxy if `always`
 */
export function pacFile(facts: PacFacts): string {
  const { direct, exceptions, proxies } = facts;
  const own = proxies.map(directive);
  const last = direct === 'never' ? [] : [noProxy];
  const excepted = exceptions.map(exceptionOf);
  const values = {
    named: way(own),
    otherwise: direct === 'always' ? noProxy : way([...own, ...last]),
    exceptNames: excepted.flatMap(({ name }) => name),
    exceptSuffixes: excepted.flatMap(({ suffix }) => suffix),
    exceptRanges: excepted.flatMap(({ range }) => range),
    localSuffixes,
    localRanges: localRanges.map((range) => bitsOf(knownRange(range))),
  };
  const lines = Object.entries(values).map(([name, value]) => `var ${name} = ${literal(value)};\n`);
  const spaces = `var spaces = ${spacesLiteral(facts.namespaces, own, last)};\n`;
  return `// Proxy auto-configuration by Willis.\n${lines.join('')}${spaces}${program}`;
}

const noProxy = 'DIRECT';

const directive = ({ authority, secure }: PacProxy): string => `${secure ? 'HTTPS' : 'PROXY'} ${authority}`;

const way = (directives: readonly string[]): string =>
  directives.length === 0 ? noProxy : [...new Set(directives)].join('; ');

/** By scheme and authority, a list of paths and ways in turns, the longest path first. */
function spacesLiteral(namespaces: readonly PacNamespace[], own: readonly string[], last: readonly string[]): string {
  const byOrigin = new Map<string, (readonly [path: string, way: string])[]>();
  for (const { namespace, replicas } of namespaces) {
    const slash = namespace.indexOf('/', namespace.indexOf('//') + 2);
    const origin = namespace.slice(0, slash);
    const entry = [namespace.slice(slash), way([...replicas.map(directive), ...own, ...last])] as const;
    byOrigin.set(origin, [...(byOrigin.get(origin) ?? []), entry]);
  }
  const members = [...byOrigin].map(([origin, entries]) => {
    const sorted = entries.toSorted(([a], [b]) => b.length - a.length || (a < b ? -1 : 1));
    return `${literal(origin)}: ${literal(sorted.flat())}`;
  });
  return `{${members.join(',\n  ')}}`;
}

interface Exception {
  readonly name: readonly string[];
  readonly suffix: readonly string[];
  readonly range: readonly string[];
}

function exceptionOf(pattern: string): Exception {
  const nothing: Exception = { name: [], suffix: [], range: [] };
  if (pattern.startsWith('*.')) return { ...nothing, suffix: [pattern.slice(1).toLowerCase()] };
  return isRange(pattern)
    ? { ...nothing, range: [bitsOf(knownRange(pattern))] }
    : { ...nothing, name: [pattern.toLowerCase()] };
}

const isRange = (pattern: string): boolean => /^[\d.]+(?:\/\d+)?$/.test(pattern) || pattern.includes(':');

/** `4` or `6`, and the bits that all its addresses begin with. */
function bitsOf({ family, base, prefix }: IpRange): string {
  const width = family === 4 ? 32 : 128;
  return `${family}${base.toString(2).padStart(width, '0').slice(0, prefix)}`;
}

/** As ECMAScript 3 takes it, and wherever it stands in a page. */
const literal = (value: unknown): string =>
  JSON.stringify(value).replace(/[^\x20-\x7e]|</g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The same for every file. Browsers give a host in lower case, some of them literals in brackets. */
const program = `
function FindProxyForURL(url, host) {
  var name = String(host).toLowerCase().replace(/^\\[|\\]$/g, "").replace(/\\.$/, "");
  var bits = bitsOf(name);
  if (endsIn(name, ".wlis")) return named;
  if (isOneOf(name, exceptNames) || isBelow(name, exceptSuffixes) || isInside(bits, exceptRanges)) return "DIRECT";
  var space = spaceOf(String(url));
  if (space !== "") return space;
  if (isBelow(name, localSuffixes) || /^[^.:]+$/.test(name)) return "DIRECT";
  if (isInside(bits, localRanges)) return "DIRECT";
  return otherwise;
}

function spaceOf(url) {
  var slash = url.indexOf("/", 8);
  var known = slash < 0 ? null : spaces[url.substring(0, slash)];
  if (!known) return "";
  for (var i = 0; i < known.length; i += 2) {
    if (url.substring(slash, slash + known[i].length) === known[i]) return known[i + 1];
  }
  return "";
}

function isOneOf(name, names) {
  for (var i = 0; i < names.length; i++) if (name === names[i]) return true;
  return false;
}

function endsIn(name, end) {
  return name.length > end.length && name.substring(name.length - end.length) === end;
}

function isBelow(name, ends) {
  for (var i = 0; i < ends.length; i++) if (endsIn(name, ends[i])) return true;
  return false;
}

function isInside(bits, ranges) {
  if (bits === "") return false;
  for (var i = 0; i < ranges.length; i++) if (bits.indexOf(ranges[i]) === 0) return true;
  return false;
}

function binary(number, width) {
  var text = number.toString(2);
  while (text.length < width) text = "0" + text;
  return text;
}

function bitsOf(name) {
  return name.indexOf(":") < 0 ? bitsOf4(name) : bitsOf6(name);
}

function bitsOf4(name) {
  var parts = name.split(".");
  if (parts.length !== 4) return "";
  var bits = "4";
  for (var i = 0; i < 4; i++) {
    if (!/^[0-9]{1,3}$/.test(parts[i]) || Number(parts[i]) > 255) return "";
    bits += binary(Number(parts[i]), 8);
  }
  return bits;
}

function bitsOf6(name) {
  var halves = name.replace(/%.*$/, "").split("::");
  if (halves.length > 2) return "";
  var left = groupsOf(halves[0]);
  var right = halves.length === 2 ? groupsOf(halves[1]) : "";
  var missing = 128 - left.length - right.length;
  if (halves.length === 2 ? missing < 16 : missing !== 0) return "";
  while (missing-- > 0) left += "0";
  var bits = left + right;
  var isMapped = /^0{80}1{16}/.test(bits);
  return isMapped ? "4" + bits.substring(96) : "6" + bits;
}

function groupsOf(text) {
  var groups = text === "" ? [] : text.split(":");
  var bits = "";
  for (var i = 0; i < groups.length; i++) {
    if (!/^[0-9a-f]{1,4}$/.test(groups[i])) return "invalid";
    bits += binary(parseInt(groups[i], 16), 16);
  }
  return bits;
}
`;
