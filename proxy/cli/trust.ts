import type { TrustReport } from '../../wlis/directory/directory-control.js';
import type { Forgotten } from '../admin/operator-directory.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import type { GroupsOptions } from './groups.js';
import { withNode } from './operator-client.js';
import { trustText } from './trust-text.js';
import { typedUrl } from './typed-url.js';

/** `willis trust`: whom a node believes and why, and what it did not believe. */
export const trust = (options: GroupsOptions, console: Console, text: TextOptions): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    const report = (await client.get('/api/trust')) as TrustReport;
    console.out(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : trustText(report, text));
    return exitCodes.ok;
  });

/** `willis trust forget ORIGIN`: an authority is learned anew, with all its namespaces. */
export const forgetTrust = (origin: string, options: GroupsOptions, console: Console): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    const asked = typedUrl(origin).replace(/\/$/, '');
    const forgotten = (await client.post('/api/trust/forget', { origin: asked })) as Forgotten;
    if (options.json === true) console.out(`${JSON.stringify(forgotten)}\n`);
    else if (forgotten.wasKnown) console.out(`${asked} is forgotten, with all its namespaces; it is learned anew.\n`);
    else console.out(`Nothing was known of ${asked}.\n`);
    return forgotten.wasKnown ? exitCodes.ok : exitCodes.failure;
  });
