import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DemoNode, type DemoNodeOptions } from './demo-node.js';
import { freePorts, preferredPorts } from './free-ports.js';

/** The nodes of the demonstration. */
export interface DemoNodes {
  /** The URL of the namespace, which is that of the primary. */
  readonly namespace: string;
  readonly primary: DemoNode;
  readonly replicas: readonly DemoNode[];
  /** The WLIS directory. */
  readonly wlis: DemoNode;
  /** The client-side proxy; browsers and tools reach it at its URL. */
  readonly proxy: DemoNode;
}

export interface StartOptions {
  /** Where they write. */
  readonly directory: string;
  /** The directory that is published. */
  readonly site: string;
  /** Is given each node as soon as there is one, so that it is stopped whatever comes of the others. */
  readonly started: (node: DemoNode) => void;
  /**
   * Is told of each node but the client-side proxy before it starts; what it opens at `url` leads to `behind`, where the
   * node listens. Null if nothing is to stand before them.
   */
  readonly front: ((name: string, url: string, behind: string) => Promise<void>) | null;
  readonly signal: AbortSignal;
}

/**
 * Starts a primary that publishes the directory, and three replicas in two levels: the primary tells two of them of changes,
 * and one of these the third. Then a WLIS directory, and a client-side proxy that knows nothing but the directory.
 * @throws Error if one of them ends, or they are not in step in time; or the reason of the signal
 */
export async function startNodes(options: StartOptions): Promise<DemoNodes> {
  const { directory, site, signal } = options;
  const tokenFile = join(directory, 'primary', 'token');
  await writeFile(tokenFile, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  const places = await freePlaces(options.front === null);
  const [primaryUrl, wlisUrl] = [places.primary.url, places.wlis.url];
  const namespace = `${primaryUrl}/`;
  const start = async (name: DemoName, config: DemoNodeOptions['config']): Promise<DemoNode> => {
    const { url, behind, admin } = places[name];
    const own = { name, directory, url, admin, config };
    const isBehind = options.front !== null && name !== 'proxy';
    if (isBehind) await options.front(name, url, behind);
    const node = await DemoNode.start({
      ...own,
      ...(isBehind && { behind }),
      side: name === 'proxy' ? 'proxy' : 'site',
    });
    options.started(node);
    return node;
  };

  const replicas = { tokenFile, fanOut: 2, browsers: 'all' };
  const primary = await start('primary', {
    primary: { namespaces: [{ url: namespace, directory: site, search: true, replicas }] },
  });
  await inStep([primary], signal);
  const replica = {
    // the name by which it is asked for here; a site would have one name, which leads to all of them
    sites: [{ host: '*', origin: namespace }],
    replicated: { namespaces: [{ url: namespace, from: primaryUrl, tokenFile }] },
    wlis: { trust },
  };
  const first = [await start('replica-1', { ...replica, roles: ['wlis'] }), await start('replica-2', replica)];
  await inStep(first, signal);
  const last = await start('replica-3', replica);
  // so that those who ask from now on hear of all of them
  await inStep([last], signal);
  const wlis = await start('wlis', { roles: ['wlis'], wlis: { peers: [primaryUrl], exchangeEvery: '5s', trust } });
  const proxy = await start('proxy', {
    roles: ['clientSide'],
    // all of it is on this machine, where a proxy otherwise leads nobody
    access: { destinations: { allow: ['127.0.0.0/8'] } },
    wlis: { peers: [wlisUrl], names: { demo: namespace }, trust },
    clientSide: { patience: '2s', html: { bar: true } },
    // what is long goes all the way each time, so that faults meet it
    cache: { rules: [{ match: `${namespace}downloads/`, store: false }] },
  });
  await ready([wlis, proxy], signal);
  return { namespace, primary, replicas: [...first, last], wlis, proxy };
}

/** In the order of their ports, which begin at 8400 unless somebody is there. */
const names = ['proxy', 'primary', 'replica-1', 'replica-2', 'replica-3', 'wlis'] as const;
type DemoName = (typeof names)[number];

/** Plain HTTP, on which anybody could lie: on loopback only. */
const trust = { firstUse: true };

interface Place {
  readonly url: string;
  readonly behind: string;
  readonly admin: string;
}

/** @param isKnown whether they are to be where the guide says, if that is free */
async function freePlaces(isKnown: boolean): Promise<Readonly<Record<DemoName, Place>>> {
  const known = isKnown ? await preferredPorts(names.map((_, i) => 8400 + i)) : await freePorts(names.length);
  const others = (await freePorts(3 * names.length)).filter((port) => !known.includes(port));
  const at = (port: number | undefined): string => `127.0.0.1:${port ?? 0}`;
  const places = names.map((name, i) => [
    name,
    { url: `http://${at(known[i])}`, behind: at(others[2 * i]), admin: `http://${at(others[2 * i + 1])}` },
  ]);
  return Object.fromEntries(places) as Record<DemoName, Place>;
}

/** Waits until each of them holds what it has to. @throws Error if one ends instead, or it takes too long */
export const inStep = (nodes: readonly DemoNode[], signal: AbortSignal): Promise<void> =>
  untilAll(nodes, async (node) => (await node.report(signal))?.state === 'in-step', signal);

/** Waits until each of them takes requests. @throws Error if one ends instead, or it takes too long */
export const ready = (nodes: readonly DemoNode[], signal: AbortSignal): Promise<void> =>
  untilAll(nodes, (node) => node.isReady(signal), signal);

async function untilAll(
  nodes: readonly DemoNode[],
  isSo: (node: DemoNode) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + startPatience;
  for (const node of nodes) {
    while (!(await isSo(node))) {
      if (node.hasEnded) throw new Error(`${node.name} has ended:\n${await node.lastWords()}`);
      if (performance.now() > until) throw new Error(`${node.name} is not in step:\n${await node.lastWords()}`);
      await pause(lookEvery, undefined, { signal });
    }
  }
}

const startPatience = 60_000;
const lookEvery = 50;
