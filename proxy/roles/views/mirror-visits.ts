import { forPrimary } from '../../../replication/serving/for-primary.js';
import type { DocumentHandler } from '../../../replication/serving/document-handler.js';
import { reachedFloor } from '../../../replication/serving/floor.js';
import { mirroredFields } from '../../../wlis/html/mirror/mirror-fields.js';
import type { NameBases } from '../../../wlis/html/mirror/named-links.js';
import type { RecipeFor, Views } from '../../../wlis/html/views/views.js';
import type { Namespace } from '../../../wlis/namespace.js';
import { requestedPath } from '../../../wlis/requested-path.js';
import type { MirrorPlaces } from '../../../wlis/html/mirror/mirror-places.js';
import { MirrorUrls } from '../../../wlis/html/mirror/mirror-urls.js';
import type { AccessPolicy } from '../../access/access-policy.js';
import type { Clock } from '../../base/clock.js';
import { WillisError } from '../../base/errors.js';
import type { Request, Response } from '../../http/message.js';
import { RetargetedRequest } from '../../http/retargeted-request.js';
import { hrefOf, type TargetUri } from '../../http/target-uri.js';
import type { HolderVoices } from '../replication/holder-voices.js';
import type { OpenNamespace } from '../replication/open-namespace.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';
import { ledTo, preflightAnswer, refuseMisuse } from './mirror-answers.js';
import { mirrorIndex } from './mirror-index.js';
import type { MirrorRecipes } from './mirror-recipes.js';
import type { MirrorPlace, MirrorRead, MirrorSpaces } from './mirror-spaces.js';
import { mirrorTarget } from './mirror-target.js';
import { ShownNamespaces } from './shown-namespaces.js';

export interface MirrorVisitsOptions {
  readonly spaces: MirrorSpaces;
  readonly layer: ReplicationLayer;
  readonly documents: DocumentHandler;
  readonly voices: Pick<HolderVoices, 'of'>;
  readonly access: Pick<AccessPolicy, 'admitToSite'>;
  readonly views: Pick<Views, 'answer'>;
  readonly recipes: MirrorRecipes;
  readonly names: NameBases;
  readonly clock: Clock;
}

/**
 * Requests of browsers for namespaces that this node holds, under its own names for them. Nothing that is asked there changes
 * anything or has credentials, and nothing goes on from here: what only the primary can answer is to be had under the name of the
 * namespace, to which the answer leads.
 */
export class MirrorVisits {
  readonly #options: MirrorVisitsOptions;
  readonly #shown: ShownNamespaces;

  constructor(options: MirrorVisitsOptions) {
    this.#options = options;
    this.#shown = new ShownNamespaces(options.layer);
  }

  /** Whether a request is for these. */
  isFor(request: Request): boolean {
    return this.#options.spaces.read(request) !== null;
  }

  /**
   * Null if it is for something else.
   * @throws WillisError (or rejects with one) as `DocumentHandler.answer` does; not-found, misdirected, access-denied,
   *   bad-request, method-not-allowed
   */
  answer(request: Request): Response | Promise<Response> | null {
    const read = this.#options.spaces.read(request);
    return read === null ? null : this.#answerRead(request, read);
  }

  #answerRead(request: Request, read: MirrorRead): Response | Promise<Response> {
    const { layer, clock } = this.#options;
    switch (read.kind) {
      case 'unknown':
        throw new WillisError('not-found', 'no namespace of this name is held here');
      case 'closed': {
        const { namespace, because } = read;
        const why = `${because} has this name too, and browsers must not take one for the other`;
        throw new WillisError('misdirected', `${namespace} is not shown here: ${why}`);
      }
      case 'original':
        return ledTo(read.uri, request, clock.now());
      case 'index':
        return mirrorIndex(request, { name: layer.name, ...read }, clock.now());
      case 'place':
        return this.#answerPlace(request, read);
    }
  }

  #answerPlace(request: Request, place: MirrorPlace): Response | Promise<Response> {
    const { entry, space, path, isSecure } = place;
    const { namespace } = entry;
    request.record.site = namespace;
    const { clock, layer, access } = this.#options;
    const now = clock.now();
    if (path === null) return ledTo(space.placeOf(namespace), request, now);
    if (namespace.startsWith('https:') && !isSecure) {
      throw new WillisError('misdirected', `${namespace} is shown over TLS only`);
    }
    const target = mirrorTarget(namespace, space.kind, path);
    refuseMisuse(request, target);
    if (request.method === 'OPTIONS' && space.kind === 'path') return preflightAnswer(now);
    const holding = layer.entries.of(target);
    if (holding !== entry) {
      const where = holding && shownAt(this.#shown.in(space, isSecure), holding.namespace, target);
      return ledTo(where ?? hrefOf(target), request, now);
    }
    // whoever rules over the name of the namespace rules here too
    const asked = new RetargetedRequest(request, target, request.fields.without('cookie', 'authorization'));
    access.admitToSite(asked);
    return entry.open === null
      ? entry.whenOpen().then((open) => this.#answerBy(open, asked, place))
      : this.#answerBy(entry.open, asked, place);
  }

  #answerBy(open: OpenNamespace, asked: Request, { space, isSecure }: MirrorPlace): Response | Promise<Response> {
    const { documents, views, recipes, names, clock } = this.#options;
    const { held } = open;
    const isThere = (): boolean => documents.has(asked.target, held);
    if (held.role === 'replica' && (held.edition === null || forPrimary(asked, held, isThere) !== null)) {
      return ledTo(hrefOf(asked.target), asked, clock.now());
    }
    const path = requestedPath(asked.target, held.namespace) ?? '';
    const urls = new MirrorUrls(this.#shown.in(space, isSecure), { namespace: held.namespace, path }, names);
    const original = (request: Request): Response | Promise<Response> => {
      const answer = this.#original(open, request);
      const mirrored = (come: Response): Response => {
        return { ...come, fields: mirroredFields(come.fields, { space, urls, target: asked.target }) };
      };
      return answer instanceof Promise ? answer.then(mirrored) : mirrored(answer);
    };
    // an absolute target is what a proxy asks for, which nothing is made of
    if (asked.form === 'absolute') return original(asked);
    const recipe: RecipeFor = (answer, kind) => recipes.of({ open, path, urls }, answer, kind);
    return views.answer(asked, 'mirror', original, recipe);
  }

  #original(open: OpenNamespace, asked: Request): Response | Promise<Response> {
    const { documents, voices } = this.#options;
    const { held, tree } = open;
    const answer = (): Response | Promise<Response> => documents.answer(asked, held, voices.of(open, asked.fields));
    const floor = held.role === 'replica' ? reachedFloor(asked, held, tree.hints) : null;
    return floor === null ? answer() : floor.then(answer);
  }
}

/** Where what a namespace has is shown, in its one spelling; null if it is not. */
function shownAt(places: MirrorPlaces, namespace: Namespace, target: TargetUri): string | null {
  const place = places.of(namespace);
  return place && place + (requestedPath(target, namespace) ?? '');
}
