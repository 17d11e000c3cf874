import { createHash } from 'node:crypto';
import { parseOriginUri, type OriginUri } from '../../../config/origin-uri.js';
import { bytes, milliseconds } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import type { HttpUpstream } from '../../../proxy/forward/http-upstream.js';
import type { IncomingResponse } from '../../../proxy/forward/upstream.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';
import type { ChoicePolicy, NodeHealth } from '../../../wlis/choice/choice.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { LearnedOriginals } from '../../../wlis/mirrors/learned-originals.js';
import type { MirrorList } from '../../../wlis/mirrors/listed-mirrors.js';
import { MirrorCounts } from '../../../wlis/mirrors/mirror-counts.js';
import type { MirrorGround, MirrorSettings } from '../../../wlis/mirrors/mirror-errand.js';
import { MirrorSet } from '../../../wlis/mirrors/mirror-set.js';
import { MirrorTrials } from '../../../wlis/mirrors/mirror-trials.js';
import { MirrorUpstream } from '../../../wlis/mirrors/mirror-upstream.js';
import { UnusablePlaces } from '../../../wlis/mirrors/unusable-places.js';
import { createUpstream } from '../../forward/upstream-fixture.js';
import { FakeClock } from '../../support/fake-clock.js';
import type { OriginHandler, ScriptedOrigin } from '../../support/scripted-origin.js';
import { startOrigin } from '../../support/scripted-origin.js';

export interface SiteOptions {
  readonly trust?: 'compared' | 'full';
  readonly patience?: number;
  readonly attempts?: number;
  readonly list?: (site: MirroredSite) => MirrorList;
}

/** An original below `/docs/`, mirrors of it below `/pub/docs/`, and an upstream that knows of them. */
export class MirroredSite {
  readonly clock = new FakeClock();
  readonly health = new HealthTable({ clock: this.clock, chance: () => 0.5 });
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  readonly ground: MirrorGround;
  /** Those that the choice prefers, the best first; by default the mirrors in their order, and then the original. */
  order: readonly ScriptedOrigin[] = [];
  /** The one that the reader has chosen, as a request says it. */
  chosen: string | null = null;
  readonly #options: SiteOptions;
  readonly #upstream: HttpUpstream;
  #servers: readonly ScriptedOrigin[] = [];
  /** Also of those that are closed by now. */
  readonly #urls = new Map<ScriptedOrigin, string>();

  private constructor(options: SiteOptions) {
    this.#options = options;
    this.#upstream = createUpstream({ keepAlive: milliseconds(0) });
    const { clock, health } = this;
    const log = (fields: Readonly<Record<string, unknown>>): void => void this.logged.push(fields);
    const logger = { debug: log, info: log, warn: log, error: log, child: () => logger, flush: () => undefined };
    this.ground = {
      ...{ clock, health, logger, attempts: health },
      chooser: { policy: this.#policy, ruleFor: () => null },
      chance: () => 0.5,
      learned: new LearnedOriginals(),
      unusable: new UnusablePlaces(),
      trials: new MirrorTrials({ attempts: health, health }),
      counts: new MirrorCounts(),
    };
  }

  static async start(original: OriginHandler, mirrors: readonly OriginHandler[], options: SiteOptions = {}) {
    const site = new MirroredSite(options);
    const all = [original, ...mirrors].map((handler) => startOrigin(handler, { clock: site.clock }));
    site.#servers = await Promise.all(all);
    for (const server of site.#servers) site.#urls.set(server, `http://${server.authority}`);
    site.order = [...site.mirrors, site.original];
    return site;
  }

  get original(): ScriptedOrigin {
    return this.#servers[0] as ScriptedOrigin;
  }

  get mirrors(): readonly ScriptedOrigin[] {
    return this.#servers.slice(1);
  }

  mirror(number: number): ScriptedOrigin {
    return this.mirrors[number - 1] as ScriptedOrigin;
  }

  /** As health knows it. */
  urlOf(server: ScriptedOrigin): string {
    return this.#urls.get(server) ?? '';
  }

  healthOf(number: number): NodeHealth {
    return this.health.of(this.urlOf(this.mirror(number)));
  }

  #at(server: ScriptedOrigin, path: string): OriginUri {
    const uri = parseOriginUri(this.urlOf(server) + path);
    if (typeof uri === 'string') throw new Error(uri);
    return uri;
  }

  target(name = 'a.txt'): TargetUri {
    return { ...this.#at(this.original, '/docs/'), path: `/docs/${name}` };
  }

  /** Asks for a document of the original. */
  ask(name = 'a.txt', fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<IncomingResponse> {
    const target = this.target(name);
    const from = this.chosen === null ? {} : { from: this.chosen };
    const request = { method, target, fields: Fields.of({ Host: target.authority, ...fields }), body: null, ...from };
    return this.upstream().forward(request, { cancellation: new Cancellation() });
  }

  /** The same, and its content. */
  async get(name = 'a.txt', fields: Readonly<Record<string, string>> = {}): Promise<Got> {
    const response = await this.ask(name, fields);
    const content = response.body === null ? '' : (await readAll(response.body, bytes(1e9))).toString('latin1');
    return { ...response, content };
  }

  upstream(): MirrorUpstream {
    const { trust = 'compared', attempts = 3, patience = 2000, list } = this.#options;
    const of = this.#at(this.original, '/docs/');
    const at = this.mirrors.map((mirror) => this.#at(mirror, '/pub/docs/'));
    const set = new MirrorSet({ of, at: list ? [] : at, trust, list: list?.(this) ?? null });
    const freshness = {
      heuristicFraction: 0.1,
      heuristicMax: milliseconds(86_400_000),
      negative: milliseconds(60_000),
    };
    const settings: MirrorSettings = { sets: [set], attempts, patience: milliseconds(patience), freshness };
    return new MirrorUpstream(this.#upstream, this.ground, settings);
  }

  async stop(): Promise<void> {
    this.ground.trials.stop();
    for (const server of this.#servers) await server.close();
    await this.#upstream.close();
  }

  readonly #policy: ChoicePolicy = (candidates) => {
    const ranks = new Map(this.order.map((server, index) => [this.urlOf(server), index]));
    const ranked = candidates.map((candidate) => ({ candidate, score: ranks.get(candidate.url) ?? 99 }));
    return ranked.sort((a, b) => a.score - b.score);
  };
}

export interface Got extends IncomingResponse {
  readonly content: string;
}

export const digestField = (content: string | Buffer): string =>
  `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;

/** A long time before any of this. */
export const longAgo = 'Wed, 01 Jan 2025 00:00:00 GMT';
export const later = 'Thu, 01 May 2025 00:00:00 GMT';

export interface Document {
  readonly content: string | Buffer;
  readonly fields?: Readonly<Record<string, string>>;
}

/** Serves documents by their names, with ranges and conditions by entity-tag, as an ordinary server does. */
export function serving(documents: Readonly<Record<string, Document>>): OriginHandler {
  return ({ url, method, headers }, response) => {
    const document = documents[url.slice(url.lastIndexOf('/docs/') + '/docs/'.length)];
    if (document === undefined) {
      response.writeHead(404, { 'Content-Type': 'text/plain', 'Content-Length': '4' });
      response.end(method === 'HEAD' ? undefined : 'none');
      return;
    }
    const content = Buffer.from(document.content);
    const fields = { 'Content-Type': 'text/plain', 'Accept-Ranges': 'bytes', ...document.fields };
    const tag = document.fields?.['ETag'];
    if (tag !== undefined && headers['if-none-match'] === tag) {
      response.writeHead(304, fields);
      response.end();
      return;
    }
    const [, first = '', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    const from = Number(first);
    const to = last === '' ? content.length : Math.min(content.length, Number(last) + 1);
    const isPart = first !== '' && from < content.length;
    const part = isPart ? content.subarray(from, to) : content;
    const range = isPart ? { 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` } : {};
    response.writeHead(isPart ? 206 : 200, { ...fields, ...range, 'Content-Length': String(part.length) });
    response.end(method === 'HEAD' ? undefined : part);
  };
}

/** Sends so much of an answer, and then breaks off. */
export function breakingAfter(count: number, handler: OriginHandler): OriginHandler {
  return (request, response, index) => {
    const end = response.end.bind(response);
    response.end = ((content?: Buffer) => {
      if (content === undefined) return end();
      response.write(content.subarray(0, count), () => response.destroy());
      return response;
    }) as typeof response.end;
    return handler(request, response, index);
  };
}
