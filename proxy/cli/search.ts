import type { SearchJson } from '../../wlis/search/search-text.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import type { OperatorOptions } from './operator-address.js';
import { withNode } from './operator-client.js';
import { searchLines } from './search-lines.js';

export interface SearchOptions extends OperatorOptions {
  readonly json?: boolean;
  readonly in?: string;
  readonly limit?: string;
}

/** `willis search WORDS`: pages by their words, of namespaces that the node holds and that may be searched. 1 if there is none. */
export const search = (
  words: readonly string[],
  options: SearchOptions,
  console: Console,
  text: TextOptions,
): Promise<ExitCode> =>
  withNode(options, console, async (client) => {
    const asked = new URLSearchParams({ q: words.join(' ') });
    if (options.in !== undefined) asked.set('namespace', options.in);
    if (options.limit !== undefined) asked.set('limit', options.limit);
    const found = (await client.get(`/api/search?${asked.toString()}`)) as SearchJson;
    console.out(options.json === true ? `${JSON.stringify(found, null, 2)}\n` : searchLines(found, text));
    return found.total === 0 ? exitCodes.failure : exitCodes.ok;
  });
