import type { GroupReport } from '../../wlis/directory/directory-control.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import { groupsText, groupText } from './groups-text.js';
import type { OperatorOptions } from './operator-address.js';
import { withNode } from './operator-client.js';
import { typedUrl } from './typed-url.js';

export interface GroupsOptions extends OperatorOptions {
  readonly json?: boolean;
}

/** `willis groups [URL]`: which namespaces of others a node knows, or who holds the one that a URL belongs to. */
export const groups = (
  url: string | undefined,
  options: GroupsOptions,
  console: Console,
  text: TextOptions,
): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    const query = url === undefined ? '' : `?uri=${encodeURIComponent(typedUrl(url))}`;
    const reports = (await client.get(`/api/groups${query}`)) as readonly GroupReport[];
    const [first] = reports;
    if (options.json === true) console.out(`${JSON.stringify(url === undefined ? reports : first, null, 2)}\n`);
    else console.out(url !== undefined && first !== undefined ? groupText(first, text) : groupsText(reports, text));
    return exitCodes.ok;
  });
