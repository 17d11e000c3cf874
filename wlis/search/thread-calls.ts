import type { Bytes } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import type { Digest } from '../trust/digest.js';
import type { FoundPages, IndexUsage, PagePlace, PutOutcome } from './page-index.js';
import type { SearchQuery } from './search-query.js';

/** A page as it is held, from which the thread of the index makes out what it says. */
export interface HeldPage extends PagePlace {
  /** Of its content. */
  readonly digest: Digest;
  /** `Content-Type` */
  readonly type: string;
  /** `Content-Encoding`; null if there is none. */
  readonly coding: string | null;
}

/** `unwanted`: it says that it is not to be found; `unreadable`: nothing can be made out of it. */
export type IndexOutcome = PutOutcome | { readonly kind: 'unwanted' | 'unreadable' };

/** What the thread is asked to do, by its names, and what it answers. */
export interface ThreadCalls {
  put: { readonly asked: { readonly page: HeldPage; readonly content: Uint8Array }; readonly answer: IndexOutcome };
  remove: { readonly asked: PagePlace; readonly answer: null };
  drop: { readonly asked: { readonly namespace: Namespace }; readonly answer: null };
  resize: { readonly asked: { readonly limit: Bytes }; readonly answer: readonly PagePlace[] };
  search: {
    readonly asked: { readonly query: SearchQuery; readonly namespaces: readonly Namespace[] };
    /** Null if it would take longer than anybody waits. */
    readonly answer: FoundPages | null;
  };
}

export type ThreadCall = {
  [Name in keyof ThreadCalls]: { readonly id: number; readonly name: Name; readonly asked: ThreadCalls[Name]['asked'] };
}[keyof ThreadCalls];

export type ThreadAnswer =
  | { readonly id: number; readonly usage: IndexUsage; readonly answer: ThreadCalls[keyof ThreadCalls]['answer'] }
  | { readonly id: number; readonly usage: IndexUsage; readonly failure: string };

/** With what the thread begins. */
export interface ThreadData {
  readonly limit: Bytes;
}
