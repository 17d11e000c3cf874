import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Asking } from './asking.js';
import type { Chance } from './chance.js';
import { judge } from './judgement.js';
import type { Tally } from './tally.js';
import type { WrittenFile } from './written-files.js';

/** What a site has, and what readers know of it. */
export interface ReadSite {
  /** Ends in a slash. */
  readonly url: string;
  readonly files: readonly WrittenFile[];
  /** Pages that nobody edits, by their paths; `#404` is what there is for all that is not there. */
  readonly pages: ReadonlyMap<string, Buffer>;
  /** The newest version of each file that any reader has got, by its path. */
  readonly seen: Map<string, { readonly version: number; readonly etag: string }>;
}

export interface ReaderOptions {
  readonly asking: Asking;
  readonly site: ReadSite;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly now: () => number;
  /** The name of the node that such an answer came from. */
  readonly sourceOf: (answer: Answer) => string;
  readonly onFailure: (what: string) => void;
}

/** Something to ask for, and how to tell whether the answer is right. */
interface Wish {
  readonly kind: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Null if it is. */
  readonly wrong: (answer: Answer) => string | null;
}

/** Reads one thing after the other, and looks at every byte of it. */
export class Reader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Until `enough`; what is under way then comes to its end. @param ending leaves everything; `enough` comes with it */
  async run(enough: AbortSignal, ending: AbortSignal): Promise<void> {
    while (!enough.aborted) {
      await this.#read(this.#wish(), ending);
      await pause(this.#options.chance.between(10, 60), undefined, { signal: enough }).catch(() => undefined);
    }
  }

  /** Reads the newest version of that file, and no other. */
  async readNewest(file: WrittenFile, ending: AbortSignal): Promise<void> {
    const { seen } = this.#options.site;
    seen.set(file.path, { version: file.version, etag: seen.get(file.path)?.etag ?? '' });
    await this.#read(this.#whole(file, anew), ending);
  }

  async #read({ kind, path, fields, wrong }: Wish, ending: AbortSignal): Promise<void> {
    const { asking, site, tally, now, sourceOf, onFailure } = this.#options;
    const began = now();
    try {
      const answer = await asking.get(site.url + path, fields, ending);
      tally.answered(kind, sourceOf(answer), answer.body.length, now() - began);
      const what = wrong(answer);
      if (what === null) return;
      tally.fail(`${kind} ${path}: ${what}`);
      onFailure(`${kind} ${path}: ${what}; ${String(answer.fields['cache-status'])}`);
    } catch (error) {
      if (ending.aborted) return;
      tally.answered(kind, 'nobody', 0, now() - began);
      const what = `${kind} ${path}: ${error instanceof Error ? error.message : String(error)}`;
      tally.fail(what);
      onFailure(what);
    }
  }

  #wish(): Wish {
    const { chance, site } = this.#options;
    const file = chance.pick(site.files.filter(({ length }) => length < large || chance.next() < 0.5));
    const fields = chance.next() < 0.5 ? anew : {};
    const kind = chance.next();
    if (kind < 0.6) return this.#whole(file, fields);
    if (kind < 0.75) return this.#part(file, fields);
    if (kind < 0.85) return this.#unless(file) ?? this.#whole(file, fields);
    if (kind < 0.95) return this.#page(chance.pick([...site.pages.keys()]));
    return this.#page('#404');
  }

  #whole(file: WrittenFile, fields: Wish['fields']): Wish {
    const floor = this.#floor(file);
    return {
      ...{ kind: 'whole', path: file.path, fields },
      wrong: (answer) => wrongStatus(answer, [200]) ?? this.#wrongBytes(file, floor, answer, 0, file.length),
    };
  }

  #part(file: WrittenFile, fields: Wish['fields']): Wish {
    const { chance } = this.#options;
    const from = chance.between(0, file.length - 1);
    const to = Math.min(file.length - 1, from + chance.between(0, file.length));
    const floor = this.#floor(file);
    const wrongRange = ({ fields: { 'content-range': range } }: Answer): string | null =>
      range === `bytes ${from}-${to}/${file.length}` ? null : `Content-Range: ${String(range)} for ${from}-${to}`;
    return {
      ...{ kind: 'part', path: file.path, fields: { ...fields, Range: `bytes=${from}-${to}` } },
      wrong: (answer) =>
        wrongStatus(answer, [206]) ?? wrongRange(answer) ?? this.#wrongBytes(file, floor, answer, from, to - from + 1),
    };
  }

  /** Null if no version of it was ever read. */
  #unless(file: WrittenFile): Wish | null {
    const seen = this.#options.site.seen.get(file.path);
    if (seen === undefined || seen.etag === '') return null;
    return {
      ...{ kind: 'unless', path: file.path, fields: { ...anew, 'If-None-Match': seen.etag } },
      wrong: (answer) => {
        if (answer.status !== 304) {
          return wrongStatus(answer, [200]) ?? this.#wrongBytes(file, seen.version, answer, 0, file.length);
        }
        const { etag } = answer.fields;
        return etag === seen.etag ? null : `304 with ${String(etag)} for ${seen.etag}`;
      },
    };
  }

  #page(path: string): Wish {
    const page = this.#options.site.pages.get(path);
    const isMissing = path === '#404';
    const asked = isMissing ? `nothing-${this.#options.chance.between(1, 1e9)}` : path;
    return {
      ...{ kind: isMissing ? 'missing' : 'page', path: asked, fields: {} },
      wrong: (answer) =>
        wrongStatus(answer, [isMissing ? 404 : 200]) ?? (page?.equals(answer.body) === true ? null : 'other bytes'),
    };
  }

  #floor({ path }: WrittenFile): number {
    return this.#options.site.seen.get(path)?.version ?? 1;
  }

  #wrongBytes(file: WrittenFile, floor: number, answer: Answer, from: number, length: number): string | null {
    const { body, fields } = answer;
    if (body.length !== length) return `${body.length} bytes of ${length}`;
    const judgement = judge(file, floor, { bytes: body, from });
    if (judgement.kind === 'false') return 'bytes that were never published';
    const { version } = judgement;
    if (judgement.kind === 'older') return `version ${version} after version ${floor}`;
    const { seen } = this.#options.site;
    if ((seen.get(file.path)?.version ?? 0) <= version) seen.set(file.path, { version, etag: fields.etag ?? '' });
    return null;
  }
}

const wrongStatus = ({ status, fields, body }: Answer, right: readonly number[]): string | null =>
  right.includes(status) ? null : `${status} ${String(fields['proxy-status'] ?? body.subarray(0, 200))}`;

/** As a browser asks whose user wants to see whether there is something new. */
const anew = { 'Cache-Control': 'max-age=0' };

const large = 1_000_000;
