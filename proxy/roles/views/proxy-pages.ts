import { bytes, type EpochMs } from '../../../config/units.js';
import type { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import type { ReaderChoices } from '../../../wlis/choice/reader-choices.js';
import { askingPage, choicePage } from '../../../wlis/html/bar/choice-page.js';
import { choicePageOf, PROXY_HOST } from '../../../wlis/names/proxy-host.js';
import type { AccessPolicy } from '../../access/access-policy.js';
import type { Clock } from '../../base/clock.js';
import { WillisError } from '../../base/errors.js';
import { BufferedBody, readAll } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import { formatHttpDate } from '../../http/http-date.js';
import type { Request, Response } from '../../http/message.js';
import { parseRequestTarget } from '../../http/request-target.js';
import { RetargetedRequest } from '../../http/retargeted-request.js';
import { hrefOf, originOf, type TargetUri } from '../../http/target-uri.js';
import type { TargetReading } from '../finding/target-reading.js';
import type { ChoiceFacts } from './choice-facts.js';
import type { ServedPart, ServedParts } from './served-parts.js';

export interface ProxyPagesOptions {
  /** Name of the node. */
  readonly name: string;
  readonly access: Pick<AccessPolicy, 'admit'>;
  readonly reading: Pick<TargetReading, 'read'>;
  readonly parts: Pick<ServedParts, 'of'>;
  /** Finds out who else has a target that this node holds itself, if it does not know yet. */
  readonly learn: (target: TargetUri) => Promise<unknown> | null;
  readonly facts: ChoiceFacts;
  readonly readers: ReaderChoices;
  readonly tokens: ChoiceTokens;
  /** What this is and how to use it. */
  readonly help: (request: Request) => Response;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/** What is asked about: as the reader calls it, and what that really is. */
interface Asked {
  readonly shown: TargetUri;
  readonly request: Request;
  readonly served: ServedPart | null;
}

/**
 * The pages of a client-side proxy at `proxy.wlis`, a host that is its alone: where a page comes from, whoever shows or hides
 * what in it; and where readers choose.
 */
export class ProxyPages {
  readonly #options: ProxyPagesOptions;

  constructor(options: ProxyPagesOptions) {
    this.#options = options;
  }

  /** @throws WillisError, as `AccessPolicy.admit` does; not-found, method-not-allowed, bad-request, access-denied, … */
  async answer(request: Request): Promise<Response> {
    await this.#options.access.admit(request);
    const { scheme, port, path } = request.target;
    if (scheme !== 'http' || port !== 80)
      throw new WillisError('not-found', `this proxy has pages at http://${PROXY_HOST}/ alone`);
    const [name, query = ''] = splitAt(path, '?');
    if (name === '/') return this.#read(request, () => this.#options.help(request));
    if (name !== '/choice') throw new WillisError('not-found', 'this proxy has no such page');
    if (request.method === 'POST') return this.#chosen(request);
    return this.#read(request, () => this.#choicePage(request, new URLSearchParams(query).get('of')));
  }

  #read(request: Request, page: () => Response | Promise<Response>): Response | Promise<Response> {
    if (request.method === 'GET' || request.method === 'HEAD') return page();
    throw new WillisError('method-not-allowed', 'this page can only be read', { answerFields: ['Allow', 'GET, HEAD'] });
  }

  async #choicePage(request: Request, of: string | null): Promise<Response> {
    const { name, facts, clock } = this.#options;
    if (of === null || of === '') return shown(request, askingPage(name), clock.now());
    const asked = await this.#asked(request, of);
    return shown(request, choicePage(await facts.of(asked.request, asked.shown, asked.served)), clock.now());
  }

  /** A form was sent. */
  async #chosen(request: Request): Promise<Response> {
    const form = await formOf(request);
    const { clock, readers, now } = this.#options;
    const asked = await this.#asked(request, form.get('of') ?? '');
    const { served } = asked;
    if (served === null) throw new WillisError('bad-request', 'no other server is known that has it');
    const page = choicePageOf(hrefOf(asked.shown));
    const standing = this.#standing(request, form.get('token') ?? '', asked, served);
    if (standing === 'unknown') {
      throw new WillisError(
        'access-denied',
        `this form is none of this proxy's, or an old one: choose again at ${page}`,
      );
    }
    // it may be of that site, or of anybody who has seen its pages: the reader says so again where nobody else can
    if (standing === 'unsure') return ledTo(page, clock.now());
    const server = form.get('server') ?? '';
    const { part, servers } = served;
    const client = request.client.address;
    if (server === '') readers.leave(client, part);
    else if (servers.some(({ value, isActive }) => value === server && isActive(now())))
      readers.choose({ client, part, from: server });
    else throw new WillisError('bad-request', `${server.slice(0, 200)} is none of those who have it`);
    return ledTo((await this.#back(request, form.get('back'), part)) ?? page, clock.now());
  }

  /** Whether a form is one of this proxy's own, for this reader. */
  #standing(
    request: Request,
    token: string,
    { shown: { scheme, authority }, request: { target } }: Asked,
    { part }: ServedPart,
  ): 'known' | 'unsure' | 'unknown' {
    const { tokens } = this.#options;
    const from = request.fields.get('origin');
    if (tokens.isOfReader(token, request.client.address, part)) return 'known';
    if (!tokens.isOfPage(token, part)) return 'unknown';
    if (from === undefined || from === 'null') return 'unsure';
    return from === `${scheme}://${authority}` || from === originOf(target) ? 'known' : 'unknown';
  }

  /** Where the reader came from, if that is in the part that he has chosen for. */
  async #back(request: Request, back: string | null, part: string): Promise<string | null> {
    if (back === null || back === '') return null;
    try {
      const { shown: page, served } = await this.#asked(request, back);
      return served?.part === part ? hrefOf(page) : null;
    } catch (error) {
      if (error instanceof WillisError) return null;
      throw error;
    }
  }

  /** A URI by which a reader asks, as he could ask for it himself. @throws WillisError */
  async #asked(request: Request, uri: string): Promise<Asked> {
    const { access, reading, parts, learn } = this.#options;
    const target = targetIn(uri);
    const asking = new RetargetedRequest({ ...plainRead(request), method: 'GET', body: null }, target);
    const read = reading.read(asking);
    if (read?.kind === 'refused') throw read.error;
    if (read?.kind === 'answered') read.response.body?.cancel();
    const real = read?.kind === 'other' ? read.request : asking;
    await access.admit(real);
    await learn(real.target);
    return { shown: target, request: real, served: parts.of(real.target) };
  }
}

/** Without its fragment, which browsers do not send. @throws WillisError bad-request */
function targetIn(uri: string): TargetUri {
  const [address] = splitAt(uri, '#');
  const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
  const parsed = parseRequestTarget(address, context);
  if (parsed.form !== 'absolute') throw new WillisError('bad-request', 'an address begins with http:// or https://');
  return parsed.target;
}

/** What a request has beside its methods, which live in its class. */
const plainRead = (request: Request): Request => ({
  ...{ method: request.method, target: request.target, form: request.form, version: request.version },
  ...{ fields: request.fields, body: request.body, client: request.client, receivedAt: request.receivedAt },
  ...{ id: request.id, record: request.record, cancellation: request.cancellation },
  inform: (status, fields) => request.inform(status, fields),
});

/** @throws WillisError media-type, content-too-large, bad-request */
async function formOf({ fields, body }: Request): Promise<URLSearchParams> {
  const type = fields.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type)) {
    body?.cancel();
    throw new WillisError('media-type', 'the form is sent as application/x-www-form-urlencoded');
  }
  if (body === null) return new URLSearchParams();
  try {
    return new URLSearchParams((await readAll(body, longestForm)).toString());
  } catch (error) {
    if (error instanceof RangeError) throw new WillisError('content-too-large', 'no form of this proxy is so long');
    throw error;
  }
}

const longestForm = bytes(16_384);

/** Nobody shows it in a frame of his own, where somebody might be made to press what he does not see. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

function shown({ method }: Request, html: string, now: EpochMs): Response {
  const content = Buffer.from(html);
  const fields = Fields.of({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(content.length),
    'Cache-Control': 'no-store',
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'same-origin',
    Date: formatHttpDate(now),
  });
  return { status: 200, reason: 'OK', fields, body: method === 'HEAD' ? null : BufferedBody.from(content) };
}

function ledTo(location: string, now: EpochMs): Response {
  const fields = Fields.of({
    ...{ Location: location, 'Cache-Control': 'no-store', 'Content-Length': '0', Date: formatHttpDate(now) },
    'Referrer-Policy': 'no-referrer',
  });
  return { status: 303, reason: 'See Other', fields, body: BufferedBody.from('') };
}

function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
