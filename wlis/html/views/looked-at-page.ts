import { bytes } from '../../../config/units.js';
import { BufferedBody, ConcatenatedBody, type Body } from '../../../proxy/http/body.js';
import { withoutCoding } from './content-codings.js';
import { htmlBeginning, type HtmlBeginning } from '../splicing/html-beginning.js';
import { RememberingBody } from './remembering-body.js';
import type { ViewCoding } from './viewable.js';

/** What an answer that says that it is HTML turns out to be. */
export type LookedAtPage =
  | {
      readonly kind: 'document';
      readonly beginning: HtmlBeginning & { readonly kind: 'document' };
      /** All of it, without coding. */
      readonly content: Body;
    }
  /** The content as it came. */
  | { readonly kind: 'other'; readonly because: string; readonly content: Body };

/**
 * Has a look at the beginning of a page, of which no more is read for that than is needed. Until it is fulfilled the page is
 * cancelled by the one given, then by what it gives. Rejects as the content breaks; what its coding makes of it is left to the
 * one who asked.
 */
export async function lookedAt(page: Body, coding: ViewCoding, contentType: string): Promise<LookedAtPage> {
  const remembering = new RememberingBody(page, mostRemembered);
  let decoded: Body | null = null;
  const other = (because: string): LookedAtPage => {
    const content = remembering.again();
    decoded?.cancel();
    return { kind: 'other', because, content };
  };
  try {
    decoded = await withoutCoding(remembering, coding);
    const { beginning, read, isWhole } = await beginningOf(decoded, contentType);
    if (beginning.kind !== 'document') return other(beginning.kind === 'other' ? beginning.because : 'not HTML');
    remembering.forget();
    const content = new ConcatenatedBody(isWhole ? [new BufferedBody(read)] : [new BufferedBody(read), decoded]);
    return { kind: 'document', beginning, content };
  } catch (error) {
    if (remembering.isBroken) throw error;
    return other('content-coding');
  }
}

interface Begun {
  readonly beginning: HtmlBeginning;
  readonly read: readonly Buffer[];
  readonly isWhole: boolean;
}

/** More and more of it, until that is enough. */
async function beginningOf(content: Body, contentType: string): Promise<Begun> {
  const read: Buffer[] = [];
  let [size, wanted] = [0, firstLook];
  for (;;) {
    const chunk = await content.read();
    if (chunk !== null) {
      read.push(chunk);
      size += chunk.length;
      if (size < wanted) continue;
    }
    const beginning = htmlBeginning(Buffer.concat(read), contentType, chunk === null);
    if (beginning.kind !== 'more' || chunk === null) return { beginning, read, isWhole: chunk === null };
    wanted = 2 * size;
  }
}

/** What browsers look at for a charset. */
const firstLook = 1024;
/** With its coding. What takes more for so little is not made for people. */
const mostRemembered = bytes(256 * 1024);
