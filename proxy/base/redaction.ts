/** Takes out of what is logged what no log shows. */
export interface Redaction {
  /** One URI or reference, or what a peer sent as one. */
  readonly uri: (uri: string) => string;
  /** A sentence, each word of which may be a URI. */
  readonly sentence: (text: string) => string;
}

/** What stands in the place of a secret. */
const redacted = '…';

/**
 * Puts `…` in the place of userinfo (RFC 3986 §3.2.1), and of the value of every query parameter whose name matches one
 * of the patterns, in which `*` stands for any characters. Names are compared percent-decoded and in any case; parameters
 * are parted by `&` or `;`. What has neither a query nor userinfo is given back as it is.
 */
export function redaction(patterns: readonly string[]): Redaction {
  const tests = patterns.map((pattern) => globTest(pattern.toLowerCase()));
  const isSecret = (name: string): boolean => {
    const plain = decoded(name).toLowerCase();
    return tests.some((test) => test(plain));
  };
  const uri = (text: string): string => {
    const stripped = text.includes('@') ? text.replace(userinfo, `//${redacted}@`) : text;
    return stripped.includes('?') && tests.length > 0 ? withoutSecrets(stripped, isSecret) : stripped;
  };
  const sentence = (text: string): string => (/[@?]/.test(text) ? text.replace(/\S+/g, uri) : text);
  return { uri, sentence };
}

/** Between `//` and an `@` that comes before the path; a relative reference has it too. */
const userinfo = /\/\/[^/?#]*@/g;

/** A parameter may hold a URI that has parameters itself, and so may a fragment. */
function withoutSecrets(uri: string, isSecret: (name: string) => boolean): string {
  const parameter = /[?&;#]([^?&;#=]*)=/g;
  parameter.lastIndex = uri.indexOf('?');
  let kept = '';
  let from = 0;
  for (let match = parameter.exec(uri); match !== null; match = parameter.exec(uri)) {
    if (!isSecret(match[1] ?? '')) continue;
    kept += uri.slice(from, parameter.lastIndex) + redacted;
    from = endOfValue(uri, parameter.lastIndex);
    parameter.lastIndex = from;
  }
  return kept + uri.slice(from);
}

function endOfValue(uri: string, from: number): number {
  let at = from;
  while (at < uri.length && !'&;#'.includes(uri.charAt(at))) at++;
  return at;
}

/** Percent-encoding undone (RFC 3986 §2.1), `+` being a space; malformed sequences stay as they are. */
function decoded(name: string): string {
  if (!/[%+]/.test(name)) return name;
  const spaced = name.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/%([\da-f]{2})/gi, (_whole, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  }
}

/** In time proportional to the text, whatever the pattern: each piece between wildcards is taken where it comes first. */
function globTest(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = text.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}
