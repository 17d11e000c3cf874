import { setImmediate as turn } from 'node:timers/promises';
import type { Seeded } from '../seeded.js';
import { Connections, type Given } from './ask.js';
import { bodyOf, isLasting, resources, type Resource } from './resource.js';
import type { Asked, Truth } from './truth.js';
import type { Changed, VersionedOrigin } from './versioned-origin.js';

export interface ClientsOptions {
  readonly random: Seeded;
  readonly origin: VersionedOrigin;
  readonly truth: Truth;
  readonly ports: { readonly site: number; readonly admin: number };
  readonly wrong: (what: string) => void;
  /** Whether transfers may break in the middle, for files were damaged. */
  readonly mayBreak: boolean;
  /** Whether requests may fail: the node lacks descriptors. */
  readonly mayFail: boolean;
  /** Whether what is given must be as new as was acknowledged. */
  readonly isJudged: boolean;
}

/** How much was asked, and what of it came out of the store. */
export interface Asking {
  requests: number;
  hits: number;
  validated: number;
  bytes: number;
  broken: number;
  purges: number;
  invalidations: number;
  /** Representations that had to be there after a start, and were. */
  survived: number;
}

export const nothingAsked = (): Asking => ({
  ...{ requests: 0, hits: 0, validated: 0, bytes: 0, broken: 0, purges: 0, invalidations: 0, survived: 0 },
});

/** Clients of a node who know what they have to be given. */
export class Clients {
  readonly asking = nothingAsked();
  readonly #options: ClientsOptions;
  readonly #connections = new Connections();
  readonly #actions: readonly (readonly [number, () => Promise<void>])[];
  #isStopped = false;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#actions = [
      [60, () => this.#get()],
      [16, () => this.#getPiece()],
      [4, () => this.#leave()],
      [10, () => this.#change()],
      [3, () => this.#post()],
      [3, () => this.#purge()],
    ];
  }

  /** Until `stop`. */
  async run(workers: number): Promise<void> {
    const { random } = this.#options;
    const work = async (): Promise<void> => {
      while (!this.#isDone()) {
        await random.weighted(this.#actions)();
        await turn();
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
  }

  /** What comes from here on is not judged. */
  stop(): void {
    this.#isStopped = true;
  }

  close(): void {
    this.stop();
    this.#connections.close();
  }

  /**
   * Asks for everything without the origin server. What is lasting must be there if `isKept`.
   * @returns what was not there
   */
  async inspect(isKept: boolean): Promise<[Resource, string][]> {
    const { truth, wrong, origin } = this.#options;
    const before = origin.requests;
    const missing: [Resource, string][] = [];
    const queue = resources.flatMap((one) => one.languages.map((language) => [one, language] as const));
    const work = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined && !this.#isDone(); next = queue.pop()) {
        const [resource, language] = next;
        const lasting = truth.lasting(resource, language);
        const asked = truth.ask(resource);
        const given = await this.#ask(resource, language, { 'Cache-Control': 'only-if-cached' });
        const version = given?.status === 504 ? null : this.#judge(resource, language, given, asked);
        if (given?.status === 504) missing.push([resource, language]);
        if (lasting === undefined || !isKept || this.#isDone()) continue;
        if (version === null)
          wrong(`${resource.path} ${language} is lost; version ${lasting} had been given from the store`);
        else if (version < lasting)
          wrong(`${resource.path} ${language}: version ${version}, where ${lasting} had been given`);
        else this.asking.survived++;
      }
    };
    await Promise.all(Array.from({ length: 6 }, work));
    if (origin.requests !== before) wrong('the origin server was asked for what was to come from the store only');
    return missing;
  }

  /** Asks for one of them in the usual way. */
  async get(resource: Resource, language: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    const asked = this.#options.truth.ask(resource);
    this.#judge(resource, language, await this.#ask(resource, language, fields), asked);
  }

  #get(): Promise<void> {
    const { random } = this.#options;
    const resource = random.pick(resources);
    return this.get(
      resource,
      random.pick(resource.languages),
      random.chance(0.05) ? { 'Cache-Control': 'no-cache' } : {},
    );
  }

  #getPiece(): Promise<void> {
    const { random } = this.#options;
    const resource = random.pick(resources.filter(({ length }) => length > 0));
    const from = random.below(resource.length);
    const last = random.chance(0.3) ? '' : String(random.between(from, resource.length - 1));
    return this.get(resource, random.pick(resource.languages), { Range: `bytes=${from}-${last}` });
  }

  async #leave(): Promise<void> {
    const { random, ports } = this.#options;
    const resource = random.pick(resources.filter(({ length }) => length > 100_000));
    const fields = { 'Accept-Language': random.pick(resource.languages) };
    const goAfter = random.below(resource.length);
    await this.#connections.ask({ port: ports.site, method: 'GET', path: resource.path, fields, goAfter });
  }

  #change(): Promise<void> {
    this.#options.origin.change(this.#options.random.pick(resources).path);
    return Promise.resolve();
  }

  async #post(): Promise<void> {
    const { random, truth, ports } = this.#options;
    const { path } = random.pick(resources);
    const group = random.chance(0.2) ? random.pick(['news', 'shop']) : null;
    const concerned = group === null ? [path] : [path, ...inGroup(group)];
    truth.disturb(concerned);
    const fields = group === null ? {} : { 'X-Group': group };
    const given = await this.#connections.ask({ port: ports.site, method: 'POST', path, fields, content: 'x' });
    const said = given?.fields['x-changed'];
    if (given?.status !== 204 || typeof said !== 'string') {
      this.#failed(`POST ${path}`, given);
      return;
    }
    this.asking.invalidations++;
    truth.acknowledge(Object.entries(JSON.parse(said) as Changed));
  }

  async #purge(): Promise<void> {
    const { random, truth, origin, ports } = this.#options;
    const { path } = random.pick(resources);
    const prefix = `/${random.below(3)}/`;
    const group = random.pick(['news', 'shop']);
    const [what, paths] = random.weighted<[Readonly<Record<string, unknown>>, readonly string[]]>([
      [20, [{ uri: `http://site.test${path}` }, [path]]],
      [1, [{ prefix: `http://site.test${prefix}` }, all.filter((one) => one.startsWith(prefix))]],
      [0.5, [{ host: 'site.test' }, all]],
      [1.5, [{ group, origin: 'http://site.test' }, inGroup(group)]],
    ]);
    for (const one of paths) if (random.chance(0.7)) origin.change(one);
    const versions = paths.map((one) => [one, origin.version(one)] as const);
    truth.disturb(paths);
    const content = JSON.stringify({ ...what, hard: random.chance(0.5) });
    const fields = { Host: '127.0.0.1', 'Content-Type': 'application/json' };
    const given = await this.#connections.ask({
      port: ports.admin,
      method: 'POST',
      path: '/api/purge',
      fields,
      content,
    });
    if (given?.status !== 200) {
      this.#failed(`purge ${content}`, given);
      return;
    }
    this.asking.purges++;
    truth.acknowledge(versions);
  }

  /** Asked anew after each wait. */
  #isDone(): boolean {
    return this.#isStopped;
  }

  #ask(resource: Resource, language: string, fields: Readonly<Record<string, string>>): Promise<Given | null> {
    this.asking.requests++;
    const { ports } = this.#options;
    const all = { 'Accept-Language': language, ...fields };
    return this.#connections.ask({ port: ports.site, method: 'GET', path: resource.path, fields: all });
  }

  /** The version that was given; null if none was, which is wrong where nothing excuses it. */
  #judge(resource: Resource, language: string, given: Given | null, asked: Asked): number | null {
    if (this.#isDone()) return null;
    const { truth, wrong, origin, mayBreak, isJudged } = this.#options;
    const { path } = resource;
    if (given === null || (given.status !== 200 && given.status !== 206)) {
      if (!origin.hasBroken(path, asked.at)) this.#failed(`GET ${path}`, given);
      return null;
    }
    const version = Number(given.fields['x-version']);
    const status = String(given.fields['cache-status'] ?? '');
    const what = `${path} ${language} version ${version} (${given.status}, ${status})`;
    const bytesGiven = checked(resource, language, version, given);
    if (bytesGiven === null) wrong(`${what}: WRONG BYTES`);
    if (isJudged && version < asked.floor) wrong(`${what}: version ${asked.floor} was acknowledged`);
    if (version > origin.version(path)) wrong(`${what}: there is no such version`);
    this.asking.bytes += bytesGiven ?? 0;
    if (!given.isWhole) {
      this.asking.broken++;
      if (!mayBreak && !origin.hasBroken(path, asked.at))
        wrong(`${what}: it broke off after ${given.body.length} bytes`);
      return null;
    }
    const isHit = / hit(;|$)/.test(status);
    if (isHit) this.asking.hits++;
    else if (status.includes('fwd-status=304')) this.asking.validated++;
    if (isHit && given.status === 200 && isLasting(resource)) truth.found(resource, language, version, asked);
    return version;
  }

  #failed(what: string, given: Given | null): void {
    const { mayFail, wrong } = this.#options;
    if (this.#isDone() || mayFail) return;
    wrong(`${what}: ${given === null ? 'no answer' : `${given.status} ${given.body.subarray(0, 200).toString()}`}`);
  }
}

const all = resources.map(({ path }) => path);

const inGroup = (group: string): string[] =>
  resources.filter(({ groups }) => groups.includes(group)).map(({ path }) => path);

/** How many bytes were given, if all of them are right and there are as many as were promised; null otherwise. */
function checked(resource: Resource, language: string, version: number, given: Given): number | null {
  const [, first, last, length] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(given.fields['content-range'] ?? '') ?? [];
  const from = given.status === 206 ? Number(first) : 0;
  const to = given.status === 206 ? Number(last) + 1 : resource.length;
  const isLengthRight = given.isWhole ? given.body.length === to - from : given.body.length <= to - from;
  if (!isLengthRight || (length !== undefined && Number(length) !== resource.length)) return null;
  return given.body.equals(bodyOf(resource, language, version, from, from + given.body.length))
    ? given.body.length
    : null;
}
