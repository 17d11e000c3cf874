import type { Promotion } from '../../replication/replication-control.js';
import { escapeControls } from '../base/escape.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { countOf } from './counted.js';
import { followWork } from './follow-work.js';
import { statusOf } from './namespace-status.js';
import type { NamespacesOptions } from './namespaces.js';
import { withNode } from './operator-client.js';

export interface PromoteOptions extends NamespacesOptions {
  readonly yes?: boolean;
}

/** `willis promote`: makes a replica the primary, for good. Without `--yes` it says what that means, and does nothing. */
export const promote = (namespace: string, options: PromoteOptions, console: Console): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    if (options.yes !== true) {
      const { report, primary } = await statusOf(client, namespace);
      console.err(warning(namespace, primary, report.version?.seq ?? null));
      return exitCodes.failure;
    }
    // nobody is to give it up half-way
    const following = { signal: new AbortController().signal, onProgress: () => undefined };
    const promotion = await followWork<never, Promotion>(client, '/api/promote', { namespace }, following);
    if (promotion === null) return exitCodes.failure;
    console.out(options.json === true ? `${JSON.stringify(promotion, null, 2)}\n` : promotionText(promotion));
    return exitCodes.ok;
  });

function warning(namespace: string, primary: string | null, seq: number | null): string {
  const before = primary === null ? 'the primary' : escapeControls(primary);
  return [
    `Nothing was done. With --yes this node becomes the primary of ${escapeControls(namespace)}:`,
    `  what ${before} publishes from then on is not believed any more;`,
    `  ${seq === null ? 'nothing is held here' : `what it published after change ${seq}, and this node does not hold, is lost`};`,
    '  the key of the namespace has to be here (willis keys list).',
    '',
  ].join('\n');
}

function promotionText({ namespace, version, documents, configuration, left }: Promotion): string {
  const what = `This node is to be the primary of ${escapeControls(namespace)}`;
  const lines = [
    `${what}, once it is told so: ${countOf(documents, 'document')}, change ${version.seq} of the new epoch ${escapeControls(version.epoch)}.`,
    ...left.map((one) => `  - ${escapeControls(one)}`),
    '',
    ...configuration.trimEnd().split('\n').map(escapeControls),
  ];
  return `${lines.join('\n')}\n`;
}
