import type { ScanReport } from '../../replication/replication-control.js';
import { escapeControls } from '../base/escape.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { counted, countOf } from './counted.js';
import { followWork } from './follow-work.js';
import type { NamespacesOptions } from './namespaces.js';
import { withNode } from './operator-client.js';
import type { Watch } from './store.js';

export interface ChangedOptions extends NamespacesOptions {
  readonly allowRemovals?: boolean;
}

/**
 * `willis changed`: has a primary look at all that it publishes, and says what it has published. `ok`: all is published that
 * is there; `failure`: something kept the source from being published as it is, removals wait to be allowed, or files are
 * still being written.
 */
export async function changed(
  namespace: string | undefined,
  options: ChangedOptions,
  console: Console,
  watch: Watch,
): Promise<ExitCode> {
  if (options.allowRemovals === true && namespace === undefined) {
    console.err('willis: --allow-removals goes with a namespace\n');
    return exitCodes.failure;
  }
  const members = { ...(namespace !== undefined && { namespace }), allowRemovals: options.allowRemovals === true };
  return withNode(options, console, async (client) => {
    const ending = new AbortController();
    const callOff = watch.onEnd(() => ending.abort());
    const following = { signal: ending.signal, onProgress: () => undefined };
    const reports = await followWork<never, readonly ScanReport[]>(client, '/api/changed', members, following).finally(
      callOff,
    );
    if (reports === null) {
      console.err('willis: it goes on in the node\n');
      return exitCodes.failure;
    }
    console.out(options.json === true ? `${JSON.stringify(reports, null, 2)}\n` : reports.map(scanText).join('\n'));
    const isAll = reports.every(({ problem, held, unsettled }) => problem === null && held === 0 && unsettled === 0);
    return isAll ? exitCodes.ok : exitCodes.failure;
  });
}

const mostShown = 20;

function scanText({ namespace, published, removed, named, version, held, unsettled, problem }: ScanReport): string {
  const at = version === null ? 'it has no head yet' : `it is at change ${version.seq}`;
  const what = [
    ...(published > 0 ? [`${countOf(published, 'document')} published`] : []),
    ...(removed > 0 ? [`${countOf(removed, 'document')} removed`] : []),
  ].join(', ');
  const shown = named.slice(0, mostShown);
  const more = published + removed - shown.length;
  const lines = [
    `${escapeControls(namespace)}: ${what === '' ? 'nothing has changed' : what}; ${at}`,
    ...shown.map(({ path, is }) => `  ${is === 'published' ? '+' : '-'} ${escapeControls(path === '' ? './' : path)}`),
    ...(more > 0 ? [`  and ${counted(more)} more`] : []),
    ...(problem === null ? [] : [`  ${escapeControls(problem)}`]),
    ...(held === 0 ? [] : [`  ${heldText(held)} --allow-removals publishes them`]),
    ...(unsettled === 0 ? [] : [`  ${countOf(unsettled, 'file')} still being written`]),
  ];
  return `${lines.join('\n')}\n`;
}

const heldText = (held: number): string =>
  held === 1 ? '1 removal waits to be allowed:' : `${counted(held)} removals wait to be allowed:`;
