import { writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DemoNode } from './demo-node.js';
import { freePorts } from './free-ports.js';

/** The nodes of the demonstration. */
export interface DemoNodes {
  /** The URL of the namespace, which is that of the primary. */
  readonly namespace: string;
  readonly primary: DemoNode;
  readonly replicas: readonly DemoNode[];
}

/**
 * Starts a primary that publishes the directory, and three replicas in two levels: the primary tells two of them of changes,
 * and one of these the third.
 * @param started is given each node as soon as there is one, so that it is stopped whatever comes of the others
 * @throws Error if one of them ends, or they are not in step in time; or the reason of the signal
 */
export async function startNodes(
  directory: string,
  site: string,
  started: (node: DemoNode) => void,
  signal: AbortSignal,
): Promise<DemoNodes> {
  const ports = await freePorts(8);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const namespace = `${urls[0] ?? ''}/`;
  const tokenFile = join(directory, 'primary', 'token');
  const start = async (index: number, config: Readonly<Record<string, unknown>>): Promise<DemoNode> => {
    const name = index === 0 ? 'primary' : `replica-${index}`;
    const [url = '', admin = ''] = [urls[index], urls[index + 4]];
    const node = await DemoNode.start({ name, directory, url, admin, config });
    started(node);
    return node;
  };
  await writeFile(tokenFile, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  const replicas = { tokenFile, fanOut: 2 };
  const primary = await start(0, { primary: { namespaces: [{ url: namespace, directory: site, replicas }] } });
  const replica = {
    // the name by which it is asked for here; a site would have one name, which leads to all of them
    sites: [{ host: '*', origin: namespace }],
    replicated: { namespaces: [{ url: namespace, from: urls[0], tokenFile }] },
    // plain HTTP, on which anybody could lie: on loopback only
    wlis: { trust: { firstUse: true } },
  };
  await inStep([primary], signal);
  const first = [await start(1, replica), await start(2, replica)];
  await inStep(first, signal);
  const last = await start(3, replica);
  await inStep([last], signal);
  return { namespace, primary, replicas: [...first, last] };
}

/** @throws Error if one ends instead, or it takes too long */
async function inStep(nodes: readonly DemoNode[], signal: AbortSignal): Promise<void> {
  const enough = AbortSignal.timeout(startPatience);
  for (const node of nodes) {
    while ((await node.report(signal))?.state !== 'in-step') {
      if (node.hasEnded) throw new Error(`${node.name} has ended:\n${await node.lastWords()}`);
      if (enough.aborted) throw new Error(`${node.name} is not in step:\n${await node.lastWords()}`);
      await pause(lookEvery, undefined, { signal });
    }
  }
}

const startPatience = 60_000;
const lookEvery = 50;
