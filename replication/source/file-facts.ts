import { bytes, epochMs } from '../../config/units.js';
import { parseDigest } from '../../wlis/trust/digest.js';
import { CheckedLog, type LogOptions, type LogState } from '../checked-log.js';
import type { Fingerprint, SourceFile } from './source-file.js';

/** Facts of a file, or of the marker of a directory, by its path. */
export type Fact = { readonly path: string } & (
  { readonly file: SourceFile | null } | { readonly marker: Fingerprint | null }
);

/**
 * What is known of the files of a source, so that they need not be read again at the next start. Losing it costs only that:
 * nothing is published because of it that is not in the store.
 */
export class FileFacts {
  readonly #log: CheckedLog;
  readonly #files: Map<string, SourceFile>;
  readonly #markers: Map<string, Fingerprint>;
  #gathered: string[] = [];
  #compactedSize = leastCompacted;

  private constructor(log: CheckedLog, { files, markers }: KnownFacts) {
    this.#log = log;
    this.#files = files;
    this.#markers = markers;
  }

  /** Begins anew if they are damaged, or there are none. */
  static async open(path: string): Promise<{ readonly facts: FileFacts; readonly found: LogState }> {
    const options: LogOptions = { path, kind: 'facts 1', durable: false };
    let known = nothingKnown();
    // a directory is the place of many files
    const places = new Map<string, string>();
    const opened = await CheckedLog.open(options, (payload) => {
      for (const fact of decodeFacts(payload, places)) know(known, fact);
    });
    if (opened.log === null) known = nothingKnown();
    const facts = new FileFacts(opened.log ?? (await CheckedLog.begin(options)), known);
    return { facts, found: opened.found };
  }

  /** What was known of a file when the facts were opened; given once. */
  take(path: string): SourceFile | undefined {
    const file = this.#files.get(path);
    this.#files.delete(path);
    return file;
  }

  /** The marker with which a directory was published last. */
  marker(directory: string): Fingerprint | undefined {
    return this.#markers.get(directory);
  }

  /** Forgets what was not asked for: the whole source has been looked at. */
  settle(): void {
    for (const path of this.#files.keys()) this.put({ path, file: null });
    this.#files.clear();
  }

  put(fact: Fact): void {
    if ('marker' in fact) know({ files: this.#files, markers: this.#markers }, fact);
    this.#gathered.push(encodeFact(fact));
  }

  /** Writes what was put. */
  async write(): Promise<void> {
    while (this.#gathered.length > 0) {
      const some = this.#gathered.splice(0, factsAtOnce);
      await this.#log.append([Buffer.from(some.join('\n'))]);
    }
  }

  get isWorthCompacting(): boolean {
    return this.#log.size > 2 * this.#compactedSize;
  }

  /** Writes these in the place of all; what was not taken is forgotten. */
  async compact(files: Iterable<readonly [path: string, file: SourceFile]>): Promise<void> {
    this.#gathered = [];
    await this.#log.rewrite(payloads(files, this.#markers));
    this.#compactedSize = Math.max(leastCompacted, this.#log.size);
  }

  async close(): Promise<void> {
    await this.write();
    await this.#log.close();
  }
}

interface KnownFacts {
  readonly files: Map<string, SourceFile>;
  readonly markers: Map<string, Fingerprint>;
}

const nothingKnown = (): KnownFacts => ({ files: new Map(), markers: new Map() });

function know({ files, markers }: KnownFacts, fact: Fact): void {
  if ('marker' in fact) {
    if (fact.marker === null) markers.delete(fact.path);
    else markers.set(fact.path, fact.marker);
  } else if (fact.file === null) files.delete(fact.path);
  else files.set(fact.path, fact.file);
}

const leastCompacted = 1024 * 1024;
const factsAtOnce = 500;

function* payloads(
  files: Iterable<readonly [path: string, file: SourceFile]>,
  markers: ReadonlyMap<string, Fingerprint>,
): Generator<Buffer> {
  let lines = [...markers].map(([path, marker]) => encodeFact({ path, marker }));
  for (const [path, file] of files) {
    lines.push(encodeFact({ path, file }));
    if (lines.length < factsAtOnce) continue;
    yield Buffer.from(lines.join('\n'));
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(lines.join('\n'));
}

function encodeFact(fact: Fact): string {
  if ('marker' in fact) return JSON.stringify(['m', fact.path, fact.marker === null ? null : printed(fact.marker)]);
  const { path, file } = fact;
  if (file === null) return JSON.stringify(['f', path, null]);
  const { digest, blocks, isText, lastModified, place, formOf } = file;
  const form = formOf === undefined ? [] : [formOf.digest, formOf.is];
  return JSON.stringify(['f', path, printed(file), digest, blocks, isText, lastModified, place, ...form]);
}

const printed = ({ size, mtime, ctime, inode }: Fingerprint): number[] => [size, mtime, ctime, inode];

/** What cannot be read is not known. */
function decodeFacts(payload: Buffer, places: Map<string, string>): Fact[] {
  return payload
    .toString()
    .split('\n')
    .flatMap((line) => {
      try {
        return [decodeFact(JSON.parse(line) as readonly unknown[], places)];
      } catch {
        return [];
      }
    });
}

function decodeFact(
  [kind, path, print, digest, blocks, isText, lastModified, place, form, is]: readonly unknown[],
  places: Map<string, string>,
): Fact {
  if (typeof path !== 'string') throw new TypeError('no path');
  const fingerprint = print === null ? null : fingerprintFrom(print);
  if (kind === 'm') return { path, marker: fingerprint };
  if (fingerprint === null) return { path, file: null };
  const file: SourceFile = {
    ...fingerprint,
    digest: parseDigest(String(digest), 'digest'),
    blocks: parseDigest(String(blocks), 'blocks'),
    isText: isText === true,
    lastModified: epochMs(Number(lastModified)),
    place: interned(String(place), places),
  };
  if (form === undefined) return { path, file };
  return { path, file: { ...file, formOf: { digest: parseDigest(form as string, 'form'), is: is === true } } };
}

function fingerprintFrom(print: unknown): Fingerprint {
  const [size, mtime, ctime, inode] = print as readonly unknown[];
  return {
    size: bytes(Number(size)),
    mtime: epochMs(Number(mtime)),
    ctime: epochMs(Number(ctime)),
    inode: Number(inode),
  };
}

function interned(text: string, known: Map<string, string>): string {
  const one = known.get(text);
  if (one === undefined) known.set(text, text);
  return one ?? text;
}
