import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Milliseconds } from '../../../config/units.js';
import type { DemoNode } from '../demo-node.js';
import { inStep, ready, type DemoNodes } from '../demo-nodes.js';
import { Asking, type Answer } from './asking.js';
import { Chance } from './chance.js';
import { Editor } from './editor.js';
import type { Front } from './front.js';
import { Misfortune } from './misfortune.js';
import { Patient, type Fault } from './patient.js';
import { readProxyFigures, type ProxyFigures } from './proxy-figures.js';
import { Reader, type ReadSite } from './reader.js';
import { count, Tally } from './tally.js';
import { contentOf, type WrittenFiles } from './written-files.js';

export interface ChaosOptions {
  readonly nodes: DemoNodes;
  /** By the names of the nodes. */
  readonly fronts: ReadonlyMap<string, Front>;
  /** The directory that is published. */
  readonly site: string;
  readonly files: WrittenFiles;
  readonly time: Milliseconds;
  readonly seed: number;
  readonly now: () => number;
  readonly onEvent: (text: string) => void;
}

/** How things are, or were. */
export interface ChaosState {
  readonly tally: Tally;
  readonly edits: number;
  /** What is wrong with whom at the moment. */
  readonly down: readonly { readonly name: string; readonly fault: Fault }[];
  /** How often it happened, by what it was. */
  readonly faults: ReadonlyMap<string, number>;
}

/** Readers that go on reading by one client-side proxy while the nodes behind it fail in turn and the site is edited. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly #asking: Asking;
  readonly #patients: readonly Patient[];
  readonly #tally: Tally;
  readonly #editor: Editor;
  readonly #readers: readonly Reader[];
  readonly #faults = new Map<string, number>();

  private constructor(options: ChaosOptions, site: ReadSite) {
    this.#options = options;
    const { nodes, fronts, files, seed, now, onEvent } = options;
    this.#asking = new Asking(nodes.proxy.url);
    this.#patients = [nodes.primary, ...nodes.replicas, nodes.wlis].flatMap((node) => {
      const front = fronts.get(node.name);
      return front === undefined ? [] : [new Patient(node, front)];
    });
    this.#tally = new Tally(now);
    const [primary] = this.#patients;
    const mayEdit = (): boolean => primary?.fault === null;
    this.#editor = new Editor({ files, chance: new Chance(seed + 1), mayEdit });
    this.#readers = Array.from({ length: readers }, (_, i) => {
      const chance = new Chance(seed + 2 + i);
      const sourceOf = (answer: Answer): string => this.#sourceOf(answer);
      const onFailure = (what: string): void => {
        if (this.#tally.failed <= mostFailuresShown) onEvent(`FAILED  ${what}`);
      };
      return new Reader({ asking: this.#asking, site, chance, tally: this.#tally, now, sourceOf, onFailure });
    });
  }

  static async prepare(options: ChaosOptions): Promise<Chaos> {
    const { nodes, site, files } = options;
    const named = [['', 'index.html'] as const, ['style.css', 'style.css'] as const, ['#404', '404.html'] as const];
    const pages = await Promise.all(
      named.map(async ([path, name]) => [path, await readFile(join(site, name))] as const),
    );
    return new Chaos(options, { url: nodes.namespace, files: files.all, pages: new Map(pages), seen: new Map() });
  }

  get state(): ChaosState {
    const down = this.#patients.flatMap(({ name, fault }) => (fault === null ? [] : [{ name, fault }]));
    return { tally: this.#tally, edits: this.#editor.edits, down, faults: this.#faults };
  }

  /** Until the time is over, all nodes are well again, and all has been read once more. @param ending leaves everything */
  async run(ending: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const end = (): void => enough.abort();
    const timer = setTimeout(end, this.#options.time);
    ending.addEventListener('abort', end, { once: true });
    try {
      await this.#runUntil(enough.signal, ending);
    } finally {
      clearTimeout(timer);
      end();
    }
    if (!ending.aborted) await this.#readAll(ending);
    this.#asking.close();
  }

  async #runUntil(enough: AbortSignal, ending: AbortSignal): Promise<void> {
    const reading = this.#readers.map((reader) => reader.run(enough, ending));
    await Promise.all([...reading, this.#editor.run(enough), this.#misfortune(ending).run(enough)]);
  }

  /** What the client-side proxy has counted; null if it does not tell. */
  figures(signal: AbortSignal): Promise<ProxyFigures | null> {
    return readProxyFigures(this.#options.nodes.proxy.admin, signal);
  }

  #misfortune(ending: AbortSignal): Misfortune {
    const { onEvent, seed } = this.#options;
    return new Misfortune({
      patients: this.#patients,
      chance: new Chance(seed),
      recovered: (patient) => ready([patient.node], ending),
      onFall: (patient, fault) => {
        count(this.#faults, fault);
        onEvent(`${patient.name} ${fault}`);
      },
      onRise: (patient) => onEvent(`${patient.name} back`),
      onLoss: (patient, error) => {
        if (ending.aborted) return;
        this.#tally.fail(`${patient.name} does not come back: ${String(error)}`);
        onEvent(`FAILED  ${patient.name} does not come back: ${String(error)}`);
      },
    });
  }

  /** At the end all that was edited is with everybody, and readers get it. */
  async #readAll(ending: AbortSignal): Promise<void> {
    const { nodes, files, onEvent } = this.#options;
    const holders = [nodes.primary, ...nodes.replicas];
    try {
      await inStep(holders, ending);
      await this.#allPublished(ending);
      await sameHeads(nodes.namespace, holders, ending);
    } catch (error) {
      if (ending.aborted) return;
      this.#tally.fail(String(error));
      onEvent(`FAILED  ${String(error)}`);
      return;
    }
    const [reader] = this.#readers;
    for (const file of files.all) if (!ending.aborted) await reader?.readNewest(file, ending);
  }

  /** What was written last has to rest for a moment before. @throws Error if it takes too long */
  async #allPublished(ending: AbortSignal): Promise<void> {
    const { files, nodes } = this.#options;
    const limit = this.#options.now() + agreePatience;
    for (const file of files.all) {
      while (!(await fetched(nodes.namespace + file.path, ending)).equals(contentOf(file, file.version))) {
        if (this.#options.now() > limit) throw new Error(`the primary does not publish ${file.path}`);
        await pause(200, undefined, { signal: ending });
      }
    }
  }

  #sourceOf({ fields }: Answer): string {
    const status = String(fields['cache-status'] ?? '');
    const url = /(?:primary|replica) (http\S+) score/.exec(status)?.[1];
    if (url === undefined) return /proxy; ?hit/.test(status) ? 'proxy' : 'unknown';
    const { primary, replicas } = this.#options.nodes;
    return [primary, ...replicas].find((node) => node.url === url)?.name ?? 'unknown';
  }
}

const fetched = async (url: string, signal: AbortSignal): Promise<Buffer> =>
  Buffer.from(await (await fetch(url, { signal })).arrayBuffer());

/** @throws Error if they are not all at the same change in time */
async function sameHeads(namespace: string, nodes: readonly DemoNode[], signal: AbortSignal): Promise<void> {
  const until = performance.now() + agreePatience;
  for (;;) {
    const heads = await Promise.all(nodes.map((node) => versionOf(namespace, node, signal)));
    if (heads.every((head) => head !== '' && head === heads[0])) return;
    if (performance.now() > until) throw new Error(`the nodes are at ${heads.join(', ')}`);
    await pause(200, undefined, { signal });
  }
}

async function versionOf(namespace: string, node: DemoNode, signal: AbortSignal): Promise<string> {
  try {
    const query = new URLSearchParams({ namespace });
    const answer = await fetch(`${node.url}/.well-known/wlis/head?${query.toString()}`, { signal });
    const [, payload = ''] = (await answer.text()).split('.');
    const { epoch, seq } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { epoch: string; seq: number };
    return `${epoch}.${seq}`;
  } catch {
    signal.throwIfAborted();
    return '';
  }
}

const readers = 4;
const mostFailuresShown = 50;
const agreePatience = 60_000;
