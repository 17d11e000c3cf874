import { setTimeout as pause } from 'node:timers/promises';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import type { NamespaceView } from '../admin/namespace-view.js';
import { systemClock } from '../base/clock.js';
import { escapeControls } from '../base/escape.js';
import { readableSize } from '../base/readable-units.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { countOf } from './counted.js';
import { statusOf } from './namespace-status.js';
import { stateWords } from './namespaces-text.js';
import { CallFailed, type OperatorClient } from './operator-client.js';
import { ProgressDisplay } from './progress-display.js';
import type { Watch } from './store.js';

export interface TakingOverOptions {
  /** The configuration file that names the node, as a person calls it. */
  readonly configName: string;
  readonly console: Console;
  readonly watch: Watch;
}

const lookEvery = 500;

/** Shows how a node takes a namespace over, until it is in step, or somebody has seen enough. @throws CallFailed */
export async function showTakingOver(
  client: OperatorClient,
  namespace: string,
  { configName, console, watch }: TakingOverOptions,
): Promise<ExitCode> {
  const ending = new AbortController();
  const callOff = watch.onEnd(() => ending.abort());
  const display = new TakingOverDisplay(console, watch);
  try {
    for (;;) {
      const { report } = await viewOf(client, namespace, configName);
      if (report.state === 'in-step') {
        display.end();
        console.out(inStepText(report));
        return exitCodes.ok;
      }
      display.show(report);
      await pause(lookEvery, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) {
        display.end();
        console.err(`willis: it goes on in the node; see willis status ${namespace}\n`);
        return exitCodes.failure;
      }
    }
  } finally {
    display.end();
    callOff();
  }
}

/** @throws CallFailed */
async function viewOf(client: OperatorClient, namespace: string, configName: string): Promise<NamespaceView> {
  try {
    return await statusOf(client, namespace);
  } catch (error) {
    if (!(error instanceof CallFailed) || error.code !== 'not-found') throw error;
    const message = `the node that answers at listen.admin of ${configName} does not run by that file: ${error.message}`;
    throw new CallFailed(message, { cause: error });
  }
}

/** A bar for what is pulled, and a line for each other thing that is to be known. */
class TakingOverDisplay {
  readonly #console: Console;
  readonly #display: ProgressDisplay;
  #said = '';

  constructor(console: Console, { width }: Watch) {
    this.#console = console;
    this.#display = new ProgressDisplay({
      ...{ label: 'taking over', clock: systemClock, width },
      phases: { index: 'nothing is known yet', files: 'all is here' },
      write: (text) => console.err(text),
    });
  }

  show({ state, reason, bytes, totalBytes }: NamespaceReport): void {
    const said = `${stateWords[state]}${reason === null ? '' : `: ${escapeControls(reason)}`}`;
    if (said !== this.#said) {
      this.end();
      this.#console.err(`${said}\n`);
    }
    this.#said = said;
    if (totalBytes === 0) return;
    this.#display.show({
      ...{ phase: 'responses', responses: 0, ofResponses: 0, damaged: 0 },
      ...{ bytes, ofBytes: totalBytes },
    });
  }

  end(): void {
    this.#display.end();
  }
}

const inStepText = ({ namespace, version, documents, bytes }: NamespaceReport): string =>
  `${escapeControls(namespace)} is in step, at change ${version?.seq ?? 0}: ${countOf(documents, 'document')}, ${readableSize(bytes)}.\n`;
