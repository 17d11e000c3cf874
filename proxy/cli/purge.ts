import type { PurgeReport } from '../admin/operator-purge.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { withNode } from './operator-client.js';
import type { OperatorOptions } from './operator-address.js';
import { typedUrl } from './typed-url.js';

export interface PurgeOptions extends OperatorOptions {
  /** Whether the URL is the beginning of many. */
  readonly prefix?: boolean;
  readonly hard?: boolean;
  readonly host?: string;
  readonly group?: string;
  readonly origin?: string;
  readonly json?: boolean;
}

/** `willis purge`: marks what is stored as stale, or forgets it, and says how much it was. */
export async function purge(url: string | undefined, options: PurgeOptions, console: Console): Promise<ExitCode> {
  const what = subjectOf(url, options);
  if (typeof what === 'string') {
    console.err(`willis: ${what}\n`);
    return exitCodes.failure;
  }
  return withNode(options, console, async (client) => {
    const report = (await client.post('/api/purge', { ...what, hard: options.hard === true })) as PurgeReport;
    console.out(options.json === true ? `${JSON.stringify(report)}\n` : `${sentence(report, url, options)}\n`);
    return exitCodes.ok;
  });
}

/** What is to be purged as the operator side takes it, or what is wrong with the arguments. */
function subjectOf(url: string | undefined, options: PurgeOptions): Record<string, string> | string {
  const { host, group, origin, prefix } = options;
  const given = [url, host, group].filter((one) => one !== undefined);
  if (given.length === 0) return 'say what to purge: a URL, --host HOST, or --group GROUP --origin ORIGIN';
  if (given.length > 1) return 'a URL, --host and --group cannot go together';
  if (prefix === true && url === undefined) return '--prefix goes with a URL';
  if ((group === undefined) !== (origin === undefined)) return '--group and --origin go together';
  if (url !== undefined) return prefix === true ? { prefix: typedUrl(url) } : { uri: typedUrl(url) };
  if (host !== undefined) return { host };
  return { group: group ?? '', origin: origin ?? '' };
}

function sentence({ purged, mode }: PurgeReport, url: string | undefined, options: PurgeOptions): string {
  const what =
    url !== undefined
      ? `${options.prefix === true ? 'whatever begins with ' : ''}${url}`
      : options.host !== undefined
        ? `the host ${options.host}`
        : `the group ${options.group ?? ''} of ${options.origin ?? ''}`;
  if (purged === 0) return `Nothing is stored for ${what}.`;
  const responses = purged === 1 ? '1 stored response' : `${purged} stored responses`;
  return mode === 'hard'
    ? `${responses} for ${what} forgotten.`
    : `${responses} for ${what} marked stale: the next request${purged === 1 ? '' : ' for each'} asks the origin server whether it is still good.`;
}
