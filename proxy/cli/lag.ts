import { parseDuration } from '../../config/duration.js';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { lagOf, type LagProgress, type NamespaceView } from '../admin/namespace-view.js';
import type { InStep } from '../admin/operator-replication.js';
import { escapeControls } from '../base/escape.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import { followWork } from './follow-work.js';
import { statusOf } from './namespace-status.js';
import type { NamespacesOptions } from './namespaces.js';
import { CallFailed, withNode, type OperatorClient } from './operator-client.js';
import { lagSentence, replicaTable } from './replicas-text.js';
import type { Watch } from './store.js';

export interface LagOptions extends NamespacesOptions {
  /** Until all replicas hold what it is now. */
  readonly wait?: boolean;
  /** How long to wait at most; for ever if there is none. */
  readonly timeout?: string;
}

/** What a command has of the terminal. */
export interface LagTerminal {
  readonly text: TextOptions;
  readonly watch: Watch;
}

/**
 * `willis lag`: whether all replicas of a namespace, or of all that a node publishes, hold what it is now. `ok`: they do;
 * `failure`: they do not, with `wait` after that time; `configuration`: that could not be told.
 */
export async function lag(
  namespace: string | undefined,
  options: LagOptions,
  console: Console,
  terminal: LagTerminal,
): Promise<ExitCode> {
  const { timeout, wait } = options;
  const limit = timeout === undefined ? null : parseDuration(timeout);
  const fault =
    timeout !== undefined && limit === null
      ? `--timeout: expected a duration such as 60s, got '${timeout}'`
      : timeout !== undefined && wait !== true
        ? '--timeout goes with --wait'
        : null;
  if (fault !== null) {
    console.err(`willis: ${fault}\n`);
    return exitCodes.configuration;
  }
  const ask = (client: OperatorClient): Promise<ExitCode> =>
    wait === true
      ? waitForAll(client, namespace, { options, console, terminal, limit })
      : show(client, namespace, { options, console, terminal });
  return withNode(options, console, ask, exitCodes.configuration);
}

interface Asked {
  readonly options: LagOptions;
  readonly console: Console;
  readonly terminal: LagTerminal;
}

async function show(
  client: OperatorClient,
  namespace: string | undefined,
  { options, console, terminal }: Asked,
): Promise<ExitCode> {
  const views = await viewsOf(client, namespace);
  const lags = views.map(lagOf);
  if (options.json === true) console.out(`${JSON.stringify(lags, null, 2)}\n`);
  else console.out(views.map((view) => viewText(view, terminal.text)).join('\n'));
  return lags.every(isInStep) ? exitCodes.ok : exitCodes.failure;
}

const isInStep = ({ version, replicas }: LagProgress): boolean => version !== null && replicas.behind === 0;

/** @throws CallFailed if the node is not the primary */
async function viewsOf(client: OperatorClient, namespace: string | undefined): Promise<NamespaceView[]> {
  const named =
    namespace === undefined
      ? ((await client.get('/api/namespaces')) as readonly NamespaceReport[])
          .filter(({ role }) => role === 'primary')
          .map((report) => report.namespace)
      : [namespace];
  if (named.length === 0) throw new CallFailed('this node is the primary of no namespace');
  const views: NamespaceView[] = [];
  for (const one of named) views.push(await statusOf(client, one));
  const replica = views.find(({ replicas }) => replicas === null);
  if (replica === undefined) return views;
  const where = replica.primary === null ? 'its primary' : `its primary, ${escapeControls(replica.primary)}`;
  throw new CallFailed(`${escapeControls(replica.report.namespace)} is only replicated here: ask ${where}`);
}

function viewText(view: NamespaceView, text: TextOptions): string {
  const replicas = view.replicas ?? [];
  const sentence = `${lagSentence(lagOf(view))}\n`;
  return replicas.length === 0 ? sentence : `${sentence}\n${replicaTable(replicas, view.report.version, text)}`;
}

async function waitForAll(
  client: OperatorClient,
  namespace: string | undefined,
  { options, console, terminal, limit }: Asked & { readonly limit: Milliseconds | null },
): Promise<ExitCode> {
  const ending = new AbortController();
  const callOff = terminal.watch.onEnd(() => ending.abort());
  const timer = limit === null ? undefined : setTimeout(() => ending.abort(), Math.min(limit, longest));
  const said = new Map<string, string>();
  let last: readonly LagProgress[] = [];
  const onProgress = (progress: readonly LagProgress[]): void => {
    last = progress;
    for (const one of progress) {
      const sentence = lagSentence(one);
      if (said.get(one.namespace) !== sentence) console.err(`${sentence}\n`);
      said.set(one.namespace, sentence);
    }
  };
  const members = namespace === undefined ? {} : { namespace };
  try {
    onProgress((await viewsOf(client, namespace)).map(lagOf));
    const following = { signal: ending.signal, onProgress };
    const all = await followWork<readonly LagProgress[], readonly InStep[]>(client, '/api/lag', members, following);
    if (all !== null) {
      console.out(options.json === true ? `${JSON.stringify(all, null, 2)}\n` : all.map(inStepText).join(''));
      return exitCodes.ok;
    }
    console.err(`willis: ended before all replicas were in step\n${last.flatMap(behindLines).join('')}`);
    return exitCodes.failure;
  } finally {
    callOff();
    clearTimeout(timer);
  }
}

/** No timer of Node.js is for longer. */
const longest = milliseconds(2 ** 31 - 1);

const inStepText = ({ namespace, version }: InStep): string =>
  `${escapeControls(namespace)}: all replicas hold change ${version.seq}.\n`;

const behindLines = ({ namespace, behind: { count, first } }: LagProgress): string[] => [
  ...first.map((one) => `  ${escapeControls(one)} is behind in ${escapeControls(namespace)}\n`),
  ...(count > first.length ? [`  and ${count - first.length} more\n`] : []),
];
