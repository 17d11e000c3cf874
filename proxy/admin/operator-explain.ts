import { formatOriginUri } from '../../config/origin-uri.js';
import type { Site } from '../../config/side-keys.js';
import type { ChoiceExplanation } from '../../wlis/choice/choice-explanation.js';
import type { AccessFacts } from '../access/access-rules.js';
import type { Judgement } from '../access/access-gate.js';
import { WillisError } from '../base/errors.js';
import type { Scope } from '../cache/cache-key.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import type { Explanation, HypotheticalRequest } from '../cache/explanation.js';
import { mapTarget } from '../forward/mapped-upstream.js';
import { Fields } from '../http/fields.js';
import { parseAddress } from '../http/ip-address.js';
import { parseRequestTarget } from '../http/request-target.js';
import { hrefOf, type TargetUri } from '../http/target-uri.js';
import type { Members } from './json-request.js';

export type SideName = 'proxy' | 'site';

/** What the operator side knows of the other sides of its node. */
export interface SidesView {
  readonly isOpen: (side: SideName) => boolean;
  /** What a logical name in a target URI stands for; null where there is none. @throws WillisError if nobody has given it */
  readonly meaningOf: (target: TargetUri) => NamedTarget | null;
  /** The site that serves a target URI; null if none does. */
  readonly siteFor: (target: TargetUri) => Site | null;
  /** What a namespace that is held here says of a request; null if the target belongs to none. */
  readonly heldFor: (request: HypotheticalRequest) => HeldExplanation | null;
  /** From whom a request would be got; null if its target belongs to no namespace that is known, or others have it. */
  readonly choiceFor: (request: HypotheticalRequest) => ChoiceExplanation | null;
  /** What the access rules say of a request. */
  readonly judge: (facts: AccessFacts) => Judgement;
}

/** What a logical name stands for. */
export interface NamedTarget {
  readonly target: TargetUri;
  /** Under which the name is listed: itself, or a wildcard. */
  readonly pattern: string;
  /** Who has given it: `wlis.names`, or a key. */
  readonly by: string;
}

/** What becomes of a request whose target belongs to a namespace that the node publishes or replicates. */
export interface HeldExplanation {
  readonly namespace: string;
  readonly role: 'primary' | 'replica';
  /** `document`, `not-found`: from what is held, and the cache has no part in it; `primary`: it is the primary's to answer. */
  readonly from: 'document' | 'not-found' | 'primary';
  readonly because: string;
}

/** What a node would do about a request on one of its sides. */
export interface ExplainedRequest extends Explanation {
  readonly side: SideName;
  /** The logical name by which it was asked for; null if it was asked for by no such name. */
  readonly named: { readonly url: string; readonly pattern: string; readonly by: string } | null;
  /** What the reverse side serves it from; null on the other side, and where no site does. */
  readonly site: { readonly host: string; readonly prefix: string; readonly origin: string } | null;
  /** What a namespace that is held here says of it; null if it belongs to none. Where that answers, the rest does not count. */
  readonly held: HeldExplanation | null;
  /** From whom it would be got, if it has to be got; null if its target belongs to no namespace that is known. */
  readonly choice: ChoiceExplanation | null;
  /** What is said to the client that was named; null if none was. */
  readonly access: (Judgement & { readonly client: string }) | null;
}

type Explained = Omit<ExplainedRequest, 'access' | 'named'>;

/** `POST /api/explain`: `{url, method?, fields?, side?, client?}`. @throws WillisError bad-request */
export async function explainRequest(
  members: Members,
  { cache, sides }: { readonly cache: CachingHandler; readonly sides: SidesView },
): Promise<ExplainedRequest> {
  const asked = requestOf(members);
  const side = sideOf(members.string('side'));
  const client = members.string('client') ?? null;
  members.end();
  if (client !== null && parseAddress(client) === null) throw refused(`client: '${client}' is no IP address`);
  const meaning = meaningOf(asked, sides);
  const request = meaning === null ? asked : { ...asked, target: meaning.target };
  const explained = await onSide(request, meaning === null ? side : 'proxy', cache, sides);
  return {
    ...explained,
    named: meaning && { url: hrefOf(asked.target), pattern: meaning.pattern, by: meaning.by },
    access: client === null ? null : { ...judged(request, explained.side, client, sides), client },
  };
}

/** @throws WillisError bad-request */
function meaningOf({ target }: HypotheticalRequest, sides: SidesView): NamedTarget | null {
  try {
    return sides.meaningOf(target);
  } catch (error) {
    if (!(error instanceof WillisError)) throw error;
    throw refused(`url: ${error.message}`);
  }
}

function requestOf(members: Members): HypotheticalRequest {
  const url = members.string('url');
  if (url === undefined) throw refused('a url is wanted');
  const method = members.string('method') ?? 'GET';
  if (!isToken.test(method)) throw refused(`method: '${method}' is no method`);
  const lines = members.pairs('fields').flatMap(([name, value]) => {
    if (!isToken.test(name)) throw refused(`fields: '${name}' is no field name`);
    if (!isFieldValue.test(value)) throw refused(`fields: the value of ${name} has characters that no field may have`);
    return [name, value.trim()];
  });
  return { method, target: targetOf(url, method), fields: new Fields(lines), body: null };
}

function targetOf(url: string, method: string): TargetUri {
  if (!/^https?:\/\//i.test(url)) throw refused(`url: '${url}' is not an absolute http or https URL`);
  try {
    const parsed = parseRequestTarget(url, { method, host: undefined, secure: false, ownAuthority: '' });
    if (parsed.form === 'absolute') return parsed.target;
  } catch (error) {
    if (!(error instanceof WillisError)) throw error;
    throw refused(`url: '${url}': ${error.message}`);
  }
  throw refused(`url: '${url}' cannot be asked for`);
}

function sideOf(given: string | undefined): SideName | null {
  if (given === undefined || given === 'proxy' || given === 'site') return given ?? null;
  throw refused(`side: expected proxy or site, got '${given}'`);
}

/**
 * On the side that is asked for; otherwise, for what is held here, on the reverse side; otherwise on the one that has something stored; otherwise on the reverse side for a host
 * that a site names, on the forward proxy for others.
 */
async function onSide(
  request: HypotheticalRequest,
  asked: SideName | null,
  cache: CachingHandler,
  sides: SidesView,
): Promise<Explained> {
  const site = sides.siteFor(request.target);
  const held = sides.heldFor(request);
  const explainOn = async (side: SideName): Promise<Explained> => ({
    ...(await cache.explain(request, scopeOf[side])),
    side,
    site: side === 'proxy' || site === null ? null : described(site),
    held,
    choice: held === null ? choiceOn(side, site, request, sides) : null,
  });
  if (asked !== null) return explainOn(asked);
  if (held !== null) return explainOn(sides.isOpen('site') ? 'site' : 'proxy');
  const likely: SideName = (site !== null && site.host !== '*') || !sides.isOpen('proxy') ? 'site' : 'proxy';
  const [first, second] = [await explainOn(likely), await explainOn(likely === 'site' ? 'proxy' : 'site')];
  return first.stored.length === 0 && second.stored.length > 0 ? second : first;
}

/** On the reverse side only a site that stands for a namespace has anything from those who hold it. */
function choiceOn(
  side: SideName,
  site: Site | null,
  request: HypotheticalRequest,
  sides: SidesView,
): ChoiceExplanation | null {
  if (side === 'proxy') return sides.choiceFor(request);
  if (site?.isNamespace !== true) return null;
  return sides.choiceFor({ ...request, target: mapTarget(request.target, site.prefix, site.origin) });
}

const scopeOf: Readonly<Record<SideName, Scope>> = { proxy: '', site: 'site' };

const described = ({ host, prefix, origin }: Site): { host: string; prefix: string; origin: string } => ({
  ...{ host, prefix },
  origin: formatOriginUri(origin),
});

function judged(request: HypotheticalRequest, side: SideName, client: string, sides: SidesView): Judgement {
  const { method, target } = request;
  const { host, port, path } = target;
  return sides.judge({ side, client, user: null, method, host, port, path: path === '*' ? null : path });
}

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);

/** RFC 9110 §5.6.2, §5.5. */
const isToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const isFieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
