import type { EpochMs } from '../../config/units.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { madeAnswer, wholeAnswer } from '../calls/call-answer.js';
import { CallProblem } from '../calls/call-problem.js';
import { LinesBody } from '../calls/lines-body.js';
import { malformedCall } from '../calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../calls/received-call.js';
import { canonicalUri, type CanonicalUri } from '../canonical-uri.js';
import { NotCanonical } from '../not-canonical.js';
import type { SignedGroup } from '../trust/group.js';
import { clientPlace, CLIENT_FIELD, placesFor } from './group-places.js';
import { feedTail, parseCursor } from './records-format.js';
import { resolutionText, type ResolvedPlace } from './resolution.js';
import type { StatementFeed } from './statement-feed.js';
import type { StatedGroups } from './stated-groups.js';

export interface PlacesOptions {
  readonly groups: StatedGroups;
  /** Whether a node is better not asked. */
  readonly isOut: (url: string) => boolean;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** `GET …/resolve?uri=…`: where a URI can be had, the best first, and the statement of the group that says so. */
export class ResolveResource implements CallResource {
  readonly methods = ['GET'] as const;

  constructor(private readonly options: PlacesOptions) {}

  answer({ request, query }: ReceivedCall): Response {
    const text = query.get('uri');
    if (text === undefined) throw malformedCall("no 'uri'");
    const uri = uriIn(text);
    const signed = knownGroup(this.options, uri);
    const at = placesOf(this.options, uri, signed, request.fields);
    const content = resolutionText({ namespace: signed.group.namespace, uri, group: signed.jws, at });
    return wholeAnswer('application/json', content, ['Vary', CLIENT_FIELD]);
  }
}

/**
 * `GET …/redirect/<uri>`: for clients that know nothing of all this. They are sent to whom one may send those who do not verify
 * what they get (decision 4), and only for namespaces that are known: to nowhere else.
 */
export class RedirectResource implements CallResource {
  readonly methods = ['GET'] as const;

  constructor(private readonly options: PlacesOptions) {}

  answer({ request, rest }: ReceivedCall): Response {
    const uri = uriIn(isPlainUri(rest) ? behindCall(request.target.path) : decoded(rest));
    const signed = knownGroup(this.options, uri);
    const place = placesOf(this.options, uri, signed, request.fields).find(({ browsers }) => browsers);
    if (place === undefined) throw notKnown(uri);
    const fields = new Fields([
      ...['Location', place.raw, 'Cache-Control', 'no-store', 'Content-Length', '0', 'Vary', CLIENT_FIELD],
      ...['Access-Control-Allow-Origin', '*'],
    ]);
    return { status: 307, reason: 'Temporary Redirect', fields, body: BufferedBody.from('') };
  }
}

/** `GET …/records?since=<cursor>`: what this node has come to know since then, to be verified by whoever reads it. */
export class RecordsResource implements CallResource {
  readonly methods = ['GET'] as const;

  /** @param feed null while there is none */
  constructor(private readonly feed: () => StatementFeed | null) {}

  async answer({ request, query }: ReceivedCall): Promise<Response> {
    const feed = this.feed();
    if (feed === null) throw new CallProblem(503, 'not-ready', 'this node has only begun', ['Retry-After', '1']);
    const page = await feed.page(parseCursor(query.get('since') ?? ''));
    return madeAnswer(request, 'application/x-ndjson', new LinesBody([...page.lines, feedTail(page)]));
  }
}

const placesOf = (
  { isOut, now, chance }: PlacesOptions,
  uri: CanonicalUri,
  signed: SignedGroup,
  fields: Fields,
): readonly ResolvedPlace[] => placesFor(signed, { uri, client: clientPlace(fields), isOut, now: now(), chance });

/** @throws CallProblem not-known */
function knownGroup({ groups }: PlacesOptions, uri: CanonicalUri): SignedGroup {
  const signed = groups.of(uri);
  if (signed === null) throw notKnown(uri);
  return signed;
}

const notKnown = (uri: CanonicalUri): CallProblem =>
  new CallProblem(404, 'not-known', `this node does not know who has ${uri.slice(0, 300)}`);

/** @throws CallProblem malformed-call */
function uriIn(text: string): CanonicalUri {
  try {
    return canonicalUri(text);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw malformedCall(`no URI of a document: ${error.message}`);
  }
}

/** As people write it: the URI as it is, behind the name of the call, with a query of its own. */
const isPlainUri = (rest: string): boolean => /^https?:\/\//i.test(rest);

const behindCall = (path: string): string => path.slice(path.indexOf('/redirect/') + '/redirect/'.length);

/** @throws CallProblem malformed-call */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformedCall('no UTF-8 in percent-encoding');
  }
}
