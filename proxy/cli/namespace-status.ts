import type { NamespaceView } from '../admin/namespace-view.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import type { NamespacesOptions } from './namespaces.js';
import { namespaceText } from './namespaces-text.js';
import { withNode, type OperatorClient } from './operator-client.js';

/** `willis status`: all that a node knows of a namespace. */
export const namespaceStatus = (
  namespace: string,
  options: NamespacesOptions,
  console: Console,
  text: TextOptions,
): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    const view = await statusOf(client, namespace);
    console.out(options.json === true ? `${JSON.stringify(view, null, 2)}\n` : namespaceText(view, text));
    return exitCodes.ok;
  });

/** @throws CallFailed */
export const statusOf = async (client: OperatorClient, namespace: string): Promise<NamespaceView> =>
  (await client.get(`/api/namespaces/status?namespace=${encodeURIComponent(namespace)}`)) as NamespaceView;
