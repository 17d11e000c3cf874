import type { ExplainedRequest } from '../admin/operator-explain.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { explanationText, type TextOptions } from './explanation-text.js';
import type { OperatorOptions } from './operator-address.js';
import { withNode } from './operator-client.js';
import { typedUrl } from './typed-url.js';

export interface ExplainOptions extends OperatorOptions {
  /** Fields as `Name: value`. */
  readonly header?: readonly string[];
  readonly request?: string;
  readonly side?: string;
  /** Address of a client. */
  readonly as?: string;
  readonly json?: boolean;
}

/** `willis explain`: what is stored for a URL, and what the node would do about the next such request and why. */
export async function explain(
  url: string,
  options: ExplainOptions,
  console: Console,
  text: TextOptions,
): Promise<ExitCode> {
  const fields = (options.header ?? []).map((line) => [line, fieldOf(line)] as const);
  const wrong = fields.find(([, field]) => field === null);
  if (wrong !== undefined) {
    console.err(`willis: -H '${wrong[0]}': expected 'Name: value'\n`);
    return exitCodes.failure;
  }
  const asked = {
    url: withScheme(typedUrl(url)),
    ...(options.request !== undefined && { method: options.request }),
    fields: fields.map(([, field]) => field),
    ...(options.side !== undefined && { side: options.side }),
    ...(options.as !== undefined && { client: options.as }),
  };
  return withNode(options, console, async (client) => {
    const explained = (await client.post('/api/explain', asked)) as ExplainedRequest;
    console.out(options.json === true ? `${JSON.stringify(explained, null, 2)}\n` : explanationText(explained, text));
    return exitCodes.ok;
  });
}

/** As other programs take it. */
const withScheme = (url: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`);

function fieldOf(line: string): [string, string] | null {
  const colon = line.indexOf(':');
  return colon < 1 ? null : [line.slice(0, colon), line.slice(colon + 1).trim()];
}
