import type { Clock } from '../../../proxy/base/clock.js';
import type { Logger } from '../../../proxy/base/logger.js';
import { notModifiedFields } from '../../../proxy/cache/answer.js';
import type { Generation, ResponseStore } from '../../../proxy/cache/response-store.js';
import { bytes, type Bytes } from '../../../config/units.js';
import type { StoredResponse } from '../../../proxy/cache/stored-response.js';
import { answersNotModified } from '../../../proxy/cache/wanted.js';
import type { Body } from '../../../proxy/http/body.js';
import type { Request, Response } from '../../../proxy/http/message.js';
import { RetargetedRequest } from '../../../proxy/http/retargeted-request.js';
import { hrefOf } from '../../../proxy/http/target-uri.js';
import { inCoding } from './content-codings.js';
import { HtmlSplicer } from '../splicing/html-splicer.js';
import { lookedAt } from './looked-at-page.js';
import { navigationOf, type PageKind, type ViewSpace } from './navigation.js';
import { PagePolicy } from '../splicing/page-policy.js';
import { SplicedBody } from './spliced-body.js';
import { StoredViews } from './stored-views.js';
import { ViewCounts, type ViewOrigin } from './view-counts.js';
import { viewFields } from './view-fields.js';
import { identityOf, namesTag, policiesOf, type ViewIdentity } from './view-identity.js';
import { ViewMakings, type PageInHand } from './view-makings.js';
import type { ViewRecipe } from '../view-recipe.js';
import { fieldsForOriginal, isConditional } from './view-request.js';
import { viewable, type Viewable } from './viewable.js';

export interface ViewsOptions {
  /** Of the node. */
  readonly store: ResponseStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is to be made of a page; null or an empty recipe: nothing. The same object where nothing has changed is the cheapest. */
export type RecipeFor = (original: Response, kind: PageKind) => ViewRecipe | null;

/**
 * Makes views of pages on their way to browsers, in the URL spaces where this node is the last one that may change them: each once
 * for a stored version of its page and a recipe, and from then on out of the store. A view that is there is answered in the turn
 * in which its original is.
 *
 * What is no navigation gets the original straight away, and so does everything of which no view may be made.
 */
export class Views {
  readonly #store: ResponseStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stored: StoredViews;
  readonly #makings: ViewMakings;

  constructor({ store, clock, logger }: ViewsOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#stored = new StoredViews(store);
    this.#makings = new ViewMakings(store);
  }

  readonly counts = new ViewCounts();

  /** How many views are being made. */
  get underWay(): number {
    return this.#makings.count;
  }

  /**
   * @param request its target names the page: what is stored of it is purged with that URI
   * @param original asked with the request, or with one that differs from it by what is about the view
   * @throws (or rejects with) what `original` does
   */
  answer(
    request: Request,
    space: ViewSpace,
    original: (asked: Request) => Response | Promise<Response>,
    recipe: RecipeFor,
  ): Response | Promise<Response> {
    const kind = navigationOf(request, space);
    if (kind === null) return original(request);
    const fields = fieldsForOriginal(request.fields);
    const asked = fields === request.fields ? request : new RetargetedRequest(request, request.target, fields);
    const visit: Visit = { request, kind, recipe, generation: this.#store.generation() };
    const answer = original(asked);
    return answer instanceof Promise ? answer.then((come) => this.#answer(visit, come)) : this.#answer(visit, answer);
  }

  #answer(visit: Visit, original: Response): Response | Promise<Response> {
    const head = viewable(original);
    const recipe = head.kind === 'viewable' ? this.#recipe(visit, original) : null;
    if (head.kind === 'original' || recipe === null || isEmpty(recipe)) return this.#asItIs(visit, original);
    const { provenance } = original;
    const identity = identityOf(provenance?.contentName ?? null, original.fields, head, recipe);
    const page: Page = { visit, original, head, recipe, identity, uri: hrefOf(visit.request.target) };
    const { key } = identity;
    if (key === null) return this.#found(page, null);
    const known = this.#makings.reasonAgainst(makingOf(page.uri, key));
    if (known !== undefined) return this.#unviewed(visit, original, known);
    const found = this.#stored.find(page.uri, key);
    return found instanceof Promise ? found.then((view) => this.#found(page, view)) : this.#found(page, found);
  }

  /** A fault in what makes recipes costs the view and not the page. */
  #recipe({ recipe, kind, request }: Visit, original: Response): ViewRecipe | null {
    try {
      return recipe(original, kind);
    } catch (error) {
      this.#logger.error({ code: 'internal', id: request.id, error }, 'no view could be made of a page');
      return null;
    }
  }

  #found(page: Page, view: StoredResponse | null): Response | Promise<Response> {
    const { original, visit, identity } = page;
    if (view !== null) {
      original.body?.cancel();
      const { length } = view;
      const open = (): Body => this.#store.open(view, bytes(0), length ?? bytes(0));
      return this.#asView(page, 'store', view.fields.first('etag') ?? null, { open, length });
    }
    const tag = identity.tag();
    // whoever names it has it
    if (tag === null || !namesTag(visit.request.fields.get('if-none-match'), tag)) return this.#madeTogether(page, tag);
    original.body?.cancel();
    return this.#asView(page, 'client', tag, null);
  }

  /** Unless somebody makes the same just now. */
  async #madeTogether(page: Page, tag: string | null): Promise<Response> {
    const { visit, original, identity, uri } = page;
    const making = identity.key === null ? null : makingOf(uri, identity.key);
    if (making !== null && this.#makings.isUnderWay(making)) {
      const body = await this.#makings.join(making);
      if (body !== null) {
        original.body?.cancel();
        return this.#asView(page, 'joined', tag, { open: () => body, length: null });
      }
      const known = this.#makings.reasonAgainst(making);
      if (known !== undefined) return this.#unviewed(visit, original, known);
    }
    const made = await this.#makings.make(this.#inHand(page, tag));
    if (made.kind === 'view') return this.#asView(page, 'made', tag, { open: () => made.body, length: null });
    return this.#unviewed(visit, { ...original, body: made.body }, made.because);
  }

  #inHand({ visit, original, head, recipe, identity, uri }: Page, tag: string | null): PageInHand {
    const content = original.body as Body;
    const { coding, contentType } = head;
    const share = coding === 'br' ? shareOfBrotli : 1;
    const page = PagePolicy.of(uri, policiesOf(original.fields));
    return {
      key: identity.key === null ? null : makingOf(uri, identity.key),
      share,
      cancellation: visit.request.cancellation,
      content,
      lookAt: () => lookedAt(content, coding, contentType),
      view: ({ content: decoded, beginning: charset }) =>
        inCoding(new SplicedBody(decoded, new HtmlSplicer(recipe, { page, uri, charset })), coding),
      writer: () => {
        if (identity.key === null) return null;
        const { generation } = visit;
        const draft = { uri, identity: identity.key, tag, original: original.fields, generation };
        return this.#stored.begin({ ...draft, now: this.#clock.now() });
      },
    };
  }

  #asView(page: Page, from: ViewOrigin, tag: string | null, content: ViewContent | null): Response {
    this.counts.views.of(from).add();
    return asView(page, tag, content);
  }

  /** Of what says that it is a page. */
  #unviewed(visit: Visit, original: Response, reason: string): Response {
    this.counts.originals.of(reason).add();
    this.#logger.debug({ code: 'no-view', id: visit.request.id, reason }, 'a page stays as it is');
    return this.#asItIs(visit, original);
  }

  /** Conditions about the original, which it was asked for without, hold for it now. */
  #asItIs({ request }: Visit, original: Response): Response {
    const { status, fields, body } = original;
    if (!isConditional(request.fields) || !answersNotModified({ status, fields }, request, this.#clock.now()))
      return original;
    body?.cancel();
    return { ...original, status: 304, reason: 'Not Modified', fields: notModifiedFields(fields), body: null };
  }
}

/** One request for a page. */
interface Visit {
  readonly request: Request;
  readonly kind: PageKind;
  readonly recipe: RecipeFor;
  /** From before the original was asked for. */
  readonly generation: Generation;
}

/** A page that is to become a view, as far as its head tells. */
interface Page {
  readonly visit: Visit;
  readonly original: Response;
  readonly head: Viewable & { readonly kind: 'viewable' };
  readonly recipe: ViewRecipe;
  readonly identity: ViewIdentity;
  readonly uri: string;
}

/** To undo and redo it takes windows of up to 20 MiB (RFC 7932 §9.1). */
const shareOfBrotli = 10;

/** Where links lead goes by the page too, and equal bytes may be at several places, of different sites. */
const makingOf = (uri: string, key: string): string => `${uri}\n${key}`;

interface ViewContent {
  readonly length: Bytes | null;
  readonly open: () => Body;
}

const isEmpty = ({ duplicates, bar, urls }: ViewRecipe): boolean =>
  duplicates.length === 0 && bar === null && urls === null;

/** @param content null if the one who asks is known to have it */
function asView({ visit, original }: Page, tag: string | null, content: ViewContent | null): Response {
  const fields = viewFields(original.fields, tag);
  const isHad = content === null || (tag !== null && namesTag(visit.request.fields.get('if-none-match'), tag));
  if (isHad) return { ...original, status: 304, reason: 'Not Modified', fields: notModifiedFields(fields), body: null };
  const { length } = content;
  const body = content.open();
  return { ...original, fields: length === null ? fields : fields.plus('Content-Length', String(length)), body };
}
