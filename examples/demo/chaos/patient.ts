import type { DemoNode } from '../demo-node.js';
import type { Front } from './front.js';

/** What may happen to a node. */
export const faults = ['killed', 'frozen', 'black-holed', 'restarted'] as const;
export type Fault = (typeof faults)[number];

/** A node to which something happens, and which comes back. */
export class Patient {
  /** What is wrong with it; null while it is well. */
  fault: Fault | null = null;

  constructor(
    readonly node: DemoNode,
    private readonly front: Front,
  ) {}

  get name(): string {
    return this.node.name;
  }

  async fall(fault: Fault): Promise<void> {
    this.fault = fault;
    if (fault === 'killed') await this.node.kill();
    else if (fault === 'frozen') this.node.freeze();
    else if (fault === 'black-holed') this.front.swallow();
    else await this.node.stop();
  }

  /** It is given back what was taken from it; that it is well again takes its time. */
  async rise(): Promise<void> {
    if (this.node.hasEnded) await this.node.begin();
    this.node.thaw();
    this.front.pass();
  }
}
