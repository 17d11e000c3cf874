import { liesToClients } from '../../test/support/lies-to-clients.js';
import type { Lie, LyingParent } from '../../test/support/lying-parent.js';
import type { FrontMode } from '../../test/support/node-front.js';
import type { SiteNode } from '../../test/support/site-node.js';

/** Something that happens to a server, and ends. */
export interface FaultKind {
  readonly name: string;
  begin(node: SiteNode, liar: LyingParent): Promise<void> | void;
  end(node: SiteNode, liar: LyingParent): Promise<void> | void;
}

const front = (name: string, mode: FrontMode): FaultKind => ({
  name,
  begin: (node) => void (node.front.mode = mode),
  end: (node) => void (node.front.mode = 'pass'),
});

/** To anybody: what a liar does to those who check nothing as well. */
const script = liesToClients().find(({ name }) => name === 'a script in the place of everything') as Lie;
const anyScript: Lie = { ...script, about: [...script.about, ''] };

export const faultKinds: readonly FaultKind[] = [
  { name: 'none', begin: () => undefined, end: () => undefined },
  { name: 'kill -9', begin: (node) => node.kill(), end: (node) => node.start() },
  {
    name: 'SIGSTOP',
    begin: (node) => node.process.signal('SIGSTOP'),
    end: (node) => node.process.signal('SIGCONT'),
  },
  front('black hole', 'silent'),
  front('reset', 'reset'),
  front('5xx', 'status'),
  front('breaks off after 100 kB', { after: 100_000, then: 'cut' }),
  front('stalls after 100 kB', { after: 100_000, then: 'stall' }),
  front('1 byte a second', { after: 0, then: 'trickle' }),
  {
    name: 'liar',
    begin(node, liar) {
      node.front.breakAll();
      liar.leadTo(node.running.port('site'));
      node.front.leadTo(liar.port);
      liar.lie = anyScript;
    },
    end(node, liar) {
      liar.lie = null;
      node.front.breakAll();
      node.front.leadTo(node.running.port('site'));
    },
  },
];
