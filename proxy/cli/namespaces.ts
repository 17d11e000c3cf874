import type { NamespaceReport } from '../../replication/namespace-report.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import { namespacesText } from './namespaces-text.js';
import type { OperatorOptions } from './operator-address.js';
import { withNode } from './operator-client.js';

export interface NamespacesOptions extends OperatorOptions {
  readonly json?: boolean;
}

/** `willis namespaces`: how the namespaces fare that a node publishes or replicates. */
export const namespaces = (options: NamespacesOptions, console: Console, text: TextOptions): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    const reports = (await client.get('/api/namespaces')) as readonly NamespaceReport[];
    console.out(options.json === true ? `${JSON.stringify(reports, null, 2)}\n` : namespacesText(reports, text));
    return exitCodes.ok;
  });
