import type { ReplicatedSite } from './replicated-site.js';
import { send, type SiteNode } from './site-node.js';

/** What a visitor got: the content of each document, `404` and the like for those that were not there, and the version. */
export interface Sight {
  readonly texts: readonly string[];
  /** Of the first answer, as its node says. */
  readonly seq: number;
}

/** A visitor of one node who asks for the same documents again and again, one after the other, on one connection. */
export class WatchingVisitor {
  readonly sights: Sight[] = [];
  #isOver = false;
  readonly #done: Promise<void>;

  constructor(
    private readonly site: ReplicatedSite,
    readonly node: SiteNode,
    private readonly paths: readonly string[],
  ) {
    this.#done = this.#watch();
    // told by `stop`
    this.#done.catch(() => undefined);
  }

  /** Looks once more, and ends. @throws what went wrong meanwhile */
  async stop(): Promise<readonly Sight[]> {
    this.#isOver = true;
    await this.#done;
    return this.sights;
  }

  async #watch(): Promise<void> {
    const client = await this.node.connect();
    let isLast = false;
    while (!isLast) {
      isLast = this.#isOver;
      const texts: string[] = [];
      let seq = 0;
      for (const path of this.paths) {
        const answer = await send(client, this.site.visit(path));
        if (texts.length === 0) seq = Number(/;seq=(\d+)/.exec(answer.get('wlis-namespace') ?? '')?.[1] ?? 0);
        texts.push(answer.status === 200 ? answer.body.toString() : String(answer.status));
      }
      const before = this.sights.at(-1);
      const isNews = before?.seq !== seq || before.texts.some((text, i) => text !== texts[i]);
      if (isNews) this.sights.push({ texts, seq });
      // in one process the nodes have to have their turn
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    client.close();
  }
}
