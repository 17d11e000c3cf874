import type { Response } from '../../proxy/http/message.js';
import { wholeAnswer } from '../calls/call-answer.js';
import { CallProblem } from '../calls/call-problem.js';
import { CALLS } from '../calls/call-target.js';
import type { CallResource, ReceivedCall } from '../calls/received-call.js';
import { negotiate } from '../documents/negotiation.js';
import { answered } from './answered-search.js';
import { openSearchText } from './open-search.js';
import type { SearchAnswer, SearchControl, SearchedNamespace } from './search-control.js';
import { searchPage } from './search-page.js';
import { parseSearchRequest, type SearchRequest } from './search-request.js';
import { searchJson } from './search-text.js';

export interface SearchResourceOptions {
  readonly control: SearchControl;
  /** Of this node, for people. */
  readonly name: () => string;
  /** `https://m1.example`, if a request came to a name that this node has; null for others. */
  readonly originOf: (call: ReceivedCall) => string | null;
  /** Whether the client speaks TLS, as far as is known: what namespaces of https say is told nobody else. */
  readonly isSecure: (call: ReceivedCall) => boolean;
}

/**
 * `GET …/search?q=…&limit=…&offset=…&namespace=…`: pages by their words, of namespaces that are held here and may be searched;
 * JSON for programs, and for people a page on which one searches. `…/search/opensearch.xml` is for their browsers.
 */
export class SearchResource implements CallResource {
  readonly methods = ['GET'] as const;

  constructor(private readonly options: SearchResourceOptions) {}

  async answer(call: ReceivedCall): Promise<Response> {
    const { control } = this.options;
    if (!control.isOn) throw new CallProblem(404, 'no-search', 'this node keeps no index of pages');
    if (call.rest === 'opensearch.xml') return this.#description(call);
    if (call.rest !== '') throw new CallProblem(404, 'no-such-call', 'a search has no parts');
    return wantsPage(call) ? this.#page(call) : this.#json(call);
  }

  async #json(call: ReceivedCall): Promise<Response> {
    const { control } = this.options;
    const request = this.#request(call);
    if (request.typed === '') throw new CallProblem(400, 'malformed-call', "no 'q'");
    const answer = await answered(control, request);
    const text = JSON.stringify(searchJson(request, answer, (place) => control.mirrorOf(place)));
    return wholeAnswer('application/json', text, [...negotiated, 'Access-Control-Allow-Origin', '*']);
  }

  /** What is wrong is told on the page as well. */
  async #page(call: ReceivedCall): Promise<Response> {
    const seen: { request: SearchRequest | null; answer: SearchAnswer | null } = { request: null, answer: null };
    try {
      seen.request = this.#request(call);
      if (seen.request.typed !== '') seen.answer = await answered(this.options.control, seen.request);
    } catch (error) {
      if (!(error instanceof CallProblem)) throw error;
      return this.#shown(call, { ...seen, problem: error });
    }
    return this.#shown(call, { ...seen, problem: null });
  }

  #shown(
    call: ReceivedCall,
    { problem, ...seen }: { request: SearchRequest | null; answer: SearchAnswer | null; problem: CallProblem | null },
  ): Response {
    const { control, name, originOf } = this.options;
    const content = searchPage({
      ...seen,
      ...{ name: name(), at: AT, isDescribed: originOf(call) !== null, problem: problem?.message ?? null },
      namespaces: this.#searched(call),
      mirrorOf: (place) => control.mirrorOf(place),
    });
    const answer = wholeAnswer('text/html; charset=utf-8', content, [...negotiated, ...pageFields]);
    if (problem === null) return answer;
    const fields = answer.fields.plus(...problem.fields);
    return { ...answer, status: problem.status, reason: '', fields, note: { error: problem.type } };
  }

  #description(call: ReceivedCall): Response {
    const origin = this.options.originOf(call);
    if (origin === null) throw new CallProblem(404, 'no-search', 'this node does not know what it is called here');
    return wholeAnswer('application/opensearchdescription+xml', openSearchText(this.options.name(), origin + AT));
  }

  /** @throws CallProblem */
  #request(call: ReceivedCall): SearchRequest {
    const searched = this.#searched(call).map(({ namespace }) => namespace);
    return parseSearchRequest(call.request.target.path, searched);
  }

  #searched(call: ReceivedCall): readonly SearchedNamespace[] {
    const { control, isSecure } = this.options;
    const { namespaces } = control;
    return isSecure(call) ? namespaces : namespaces.filter(({ namespace }) => namespace.startsWith('http:'));
  }
}

const AT = `${CALLS}search`;

const negotiated = ['Vary', 'Accept'];

/** Nothing is loaded, and nobody is told what was looked for. */
const pageFields: readonly string[] = [
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ...['Referrer-Policy', 'no-referrer', 'X-Robots-Tag', 'noindex, nofollow'],
];

const forms = ['application/json', 'text/html'].map((type) => ({ type, coding: null, language: null }));

const wantsPage = ({ request }: ReceivedCall): boolean => negotiate(forms, request.fields) === 1;
