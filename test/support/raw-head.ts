/** The head of a response, as received. */
export interface RawHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Null if the response does not say. */
  readonly contentLength: number | null;
  readonly chunked: boolean;
  /** The values of all lines of that name, joined by ", "; undefined if there is none. Any case. */
  get(name: string): string | undefined;
  /** The values of all lines of that name. */
  all(name: string): string[];
}

/**
 * Parses a head without its last empty line, to the letter of RFC 9112 §4, §5 and §6.
 * @throws Error for anything that a sender must not send
 */
export function parseRawHead(text: string): RawHead {
  const [statusLine = '', ...fieldLines] = text.split('\r\n');
  const status = /^(HTTP\/1\.[01]) ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)$/.exec(statusLine);
  if (status === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const fields = fieldLines.map(parseFieldLine);
  const all = (name: string): string[] =>
    fields.filter(([received]) => received.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return {
    version: status[1] ?? '',
    status: Number(status[2]),
    reason: status[3] ?? '',
    fields,
    ...framing(all('content-length'), all('transfer-encoding')),
    all,
    get: (name) => (all(name).length === 0 ? undefined : all(name).join(', ')),
  };
}

function parseFieldLine(line: string): [string, string] {
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/.exec(line);
  if (match === null) throw new Error(`not a field line: ${JSON.stringify(line)}`);
  return [match[1] ?? '', match[2] ?? ''];
}

function framing(lengths: string[], codings: string[]): Pick<RawHead, 'contentLength' | 'chunked'> {
  const length = lengths[0];
  if (lengths.length > 1 || (length !== undefined && !/^[0-9]+$/.test(length))) {
    throw new Error(`not one Content-Length: ${JSON.stringify(lengths)}`);
  }
  if (codings.length > 1 || (codings.length === 1 && codings[0]?.toLowerCase() !== 'chunked')) {
    throw new Error(`not one Transfer-Encoding, chunked: ${JSON.stringify(codings)}`);
  }
  if (length !== undefined && codings.length > 0) throw new Error('both Content-Length and Transfer-Encoding');
  return { contentLength: length === undefined ? null : Number(length), chunked: codings.length === 1 };
}
