import { z } from 'zod';
import { formatByteSize, parseByteSize } from './byte-size.js';
import { formatDuration, parseDuration } from './duration.js';
import {
  formatListenAddress,
  isAddressRange,
  isDestination,
  isHostName,
  isUriHost,
  parseListenAddress,
} from './network-name.js';
import {
  formatOriginUri,
  formatProxyUri,
  parseOriginUri,
  parseProxyUri,
  type OriginUri,
  type ProxyUri,
} from './origin-uri.js';
import { insidePatternFault, pathPatternFault, uriPatternFault } from './uri-pattern.js';
import { prefixFault } from './path-prefix.js';
import { isUserName } from './user-name.js';
import { milliseconds, type Bytes, type Milliseconds } from './units.js';

// The types that values of the configuration have. Each has a name and a description, which messages and the
// documentation use.

/** A text with a value behind it. `word` names the type in the documentation, `example` says how it looks. */
function text<T>(
  word: string,
  example: string,
  read: (text: string) => T | null,
  is: (value: unknown) => boolean,
  write: (value: T) => string,
) {
  return z
    .codec(z.string(), z.custom<T>(is), {
      decode: (input, context) => read(input) ?? refuse(context, input),
      encode: (value) => write(value),
    })
    .meta({ id: word, description: example });
}

export function refuse(context: { issues: unknown[] }, input: unknown, expected?: string): never {
  context.issues.push({ code: 'custom', input, params: { expected } });
  return z.NEVER;
}

const plainText = (word: string, example: string, is: (text: string) => boolean) =>
  z.string().refine(is).meta({ id: word, description: example });

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isAddress = (value: unknown): boolean => typeof value === 'object' && value !== null && 'port' in value;

const longestTimer = milliseconds(24 * 86_400_000);
const readTimeout = (input: string): Milliseconds | null => {
  const value = parseDuration(input);
  return value !== null && value > 0 && value <= longestTimer ? value : null;
};
export const timeout = text(
  'timeout',
  'a duration from 1ms to 24d, such as 500ms, 90s or 5m',
  readTimeout,
  isNumber,
  formatDuration,
);
export const duration = text(
  'duration',
  'a duration such as 0s, 250ms, 90s, 5m or 1d',
  parseDuration,
  isNumber,
  formatDuration,
);
export const size = z
  .codec(z.union([z.string(), z.int().min(0)]), z.custom<Bytes>(isNumber), {
    decode: (input, context) => parseByteSize(String(input)) ?? refuse(context, input),
    encode: formatByteSize,
  })
  .meta({ id: 'size', description: 'a size such as 1500 (bytes), 32KiB, 64MiB or 10GiB' });
export const atLeast = (least: string) =>
  size.superRefine((value, context) => {
    const bound = parseByteSize(least);
    if (bound !== null && value < bound) refuse(context, formatByteSize(value), `a size of at least ${least}`);
  });

export const range = plainText('range', 'an IP address or a CIDR range such as 10.0.0.0/8', isAddressRange);
export const destination = plainText(
  'destination',
  "an IP address, a CIDR range, a host name, '*.example.org' or 'private'",
  isDestination,
);
export const file = plainText('file', 'the path of a file', (path) => path !== '' && !path.includes('\0'));
export const directory = plainText(
  'directory',
  'the path of a directory',
  (path) => path !== '' && !path.includes('\0'),
);
export const nodeName = plainText('name', 'a name without spaces, such as cache-1.example.org', (name) =>
  /^[\x21-\x7e]{1,255}$/.test(name),
);
export const host = plainText(
  'host',
  "a host name or IP address without a port, or '*' for any",
  (name) => name === '*' || isUriHost(name),
);
export const address = text(
  'address',
  "'host:port', such as 127.0.0.1:3128, [::1]:3128 or *:80",
  parseListenAddress,
  isAddress,
  formatListenAddress,
);
export const prefix = z
  .string()
  .superRefine((path, context) => {
    const expected = prefixFault(path);
    if (expected !== null) refuse(context, path, expected);
  })
  .meta({ id: 'prefix', description: "a path that starts and ends with '/'" });
export const origin = z
  .codec(z.string(), z.custom<OriginUri>(isAddress), {
    decode: (input, context) => {
      const uri = parseOriginUri(input);
      return typeof uri === 'string' ? refuse(context, input, uri) : uri;
    },
    encode: formatOriginUri,
  })
  .meta({ id: 'origin', description: "an http or https URL whose path ends in '/'" });

export const namespaceUri = z
  .string()
  .superRefine((input, context) => {
    const uri = parseOriginUri(input);
    if (typeof uri === 'string') refuse(context, input, uri);
  })
  .meta({ id: 'namespace', description: "the http or https URL of a namespace; it ends in '/'" });

export const nodeUri = z
  .codec(z.string(), z.custom<ProxyUri>(isAddress), {
    decode: (input, context) => {
      const uri = parseProxyUri(input);
      return typeof uri === 'string' ? refuse(context, input, uri) : uri;
    },
    encode: formatProxyUri,
  })
  .meta({ id: 'node', description: 'the http or https URL of a node, with nothing behind the port' });

export const proxyUri = z
  .codec(z.string(), z.custom<ProxyUri>(isAddress), {
    decode: (input, context) => {
      const uri = parseProxyUri(input);
      return typeof uri === 'string' ? refuse(context, input, uri) : uri;
    },
    encode: formatProxyUri,
  })
  .meta({ id: 'proxy', description: 'an http or https URL with nothing behind the port, such as http://proxy:3128' });

const pattern = (word: string, example: string, fault: (text: string) => string | null) =>
  z
    .string()
    .superRefine((text, context) => {
      const expected = fault(text);
      if (expected !== null) refuse(context, text, expected);
    })
    .meta({ id: word, description: example });

export const uriPattern = pattern(
  'URI pattern',
  "an http or https URL; '*' stands for any characters but '/', '**' for any, and a '/' at the end for all that lies below",
  uriPatternFault,
);
export const pathPattern = pattern(
  'path pattern',
  "a path; '*' stands for any characters but '/', '**' for any, and a '/' at the end for all that lies below",
  pathPatternFault,
);
export const insidePattern = pattern(
  'pattern',
  "a path below the namespace or directory, without '/' at its beginning; '*' stands for any characters but '/', '**' for any, and a '/' at the end for all that lies below",
  insidePatternFault,
);
export const fileInside = plainText(
  'path',
  "the path of a document below the directory, without '/' at its beginning",
  (path) => insidePatternFault(path) === null && !path.includes('*'),
);
export const keyId = plainText(
  'key name',
  "the name of a key, as 'willis keys' shows it: 43 letters, digits, '-' and '_'",
  (name) => /^[A-Za-z0-9_-]{43}$/.test(name),
);
export const fieldName = plainText('field', 'the name of a header field', (name) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name),
);
export const fieldValue = plainText('value', 'the value of a header field', (value) =>
  /^[\x21-\x7e](?:[\x20-\x7e\t]{0,4000}[\x21-\x7e])?$/.test(value),
);
export const mediaType = plainText('media type', 'a media type such as text/html; charset=utf-8', (type) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[\x20-\x7e]{1,200})?$/.test(type),
);
export const fileName = plainText('file name', 'the name of a file without a path', (name) =>
  /^[^/\0*]{1,255}$/.test(name),
);
export const extension = plainText(
  'extension',
  'letters and digits behind the dot of a file name, in lower case',
  (name) => /^[^/.\0A-Z]{1,32}$/.test(name),
);
export const reference = plainText('reference', 'a URL or path to lead to', (text) =>
  /^[\x21-\x7e]{1,4000}$/.test(text),
);
export const rate = z
  .codec(z.string(), z.custom<Bytes>(isNumber), {
    decode: (input, context) => {
      const value = input.endsWith('/s') ? parseByteSize(input.slice(0, -2)) : null;
      return value === null || value < 1024 ? refuse(context, input) : value;
    },
    encode: (value) => `${formatByteSize(value)}/s`,
  })
  .meta({ id: 'rate', description: 'a size a second such as 500KiB/s or 10MiB/s, at least 1KiB/s' });
export const percentile = plainText('percentile', "a percentile from 'p50' to 'p99'", (text) =>
  /^p[5-9]\d$/.test(text),
);
export const share = plainText('share', "a share from '0%' to '100%'", (text) =>
  /^(?:\d{1,2}(?:\.\d)?|100)%$/.test(text),
);
export const cronExpression = plainText(
  'cron expression',
  "five fields as in a crontab: '0 3 * * *'",
  (text) => /^\S+(?: +\S+){4}$/.test(text) && text.length <= 200,
);
export const timezone = plainText('time zone', 'a time zone such as Europe/Berlin', isTimeZone);
export const hostPattern = plainText(
  'host pattern',
  "a host name, '*.example.org', an IP address or a CIDR range",
  (name) => isAddressRange(name) || isHostName(name.startsWith('*.') ? name.slice(2) : name),
);
export const userName = plainText(
  'user',
  "the name of a user, or '*' for any",
  (name) => isUserName(name) || name === '*',
);
export const method = plainText('method', 'a method of HTTP in capitals, such as GET, CONNECT or PURGE', (name) =>
  /^[A-Z][A-Z0-9_-]{0,31}$/.test(name),
);
export const parameter = plainText(
  'parameter',
  "the name of a query parameter, '*' standing for any characters",
  (name) => /^[^\s&=?#]{1,100}$/.test(name),
);

/** What may stand in a quoted-string of an authentication challenge without escapes (RFC 9110 §5.6.4). */
export const realm = plainText(
  'realm',
  'a text of up to 100 characters without quotes, backslashes and control characters',
  (text) => /^[\x20-\x7e]{1,100}$/.test(text) && !/["\\]/.test(text),
);

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
