import { milliseconds } from '../../../config/units.js';
import type { NamespaceReport } from '../../../replication/namespace-report.js';
import type { Namespace } from '../../../wlis/namespace.js';
import type { Logger } from '../../base/logger.js';
import { WillisError } from '../../base/errors.js';
import { notOpen } from './not-open.js';
import type { OpenNamespace } from './open-namespace.js';
import type { WantedNamespace } from './wanted-namespaces.js';

export interface NamespaceEntryOptions {
  readonly wanted: WantedNamespace;
  /** Everything that it is made from. */
  readonly madeFrom: string;
  /** @throws Error what the system says */
  readonly open: () => Promise<OpenNamespace>;
  /** What uses the same files is to be over. */
  readonly after: Promise<unknown>;
  readonly logger: Logger;
}

const retry = milliseconds(5000);

/** A namespace that a configuration names: being opened, open, or failed, and then tried again. */
export class NamespaceEntry {
  readonly namespace: Namespace;
  readonly kind: WantedNamespace['kind'];
  readonly madeFrom: string;
  readonly #options: NamespaceEntryOptions;
  readonly #first: Promise<void>;
  #open: OpenNamespace | null = null;
  #closed: OpenNamespace | null = null;
  #failure: string | null = null;
  #retrying: NodeJS.Timeout | null = null;
  #opening: Promise<void>;
  #stopped: Promise<void> | null = null;

  constructor(options: NamespaceEntryOptions) {
    this.#options = options;
    this.namespace = options.wanted.namespace;
    this.kind = options.wanted.kind;
    this.madeFrom = options.madeFrom;
    this.#opening = options.after.then(() => this.#tryToOpen());
    this.#first = this.#opening;
  }

  /** Null while it is not open. */
  get open(): OpenNamespace | null {
    return this.#open;
  }

  /** Waits until it is open. @throws WillisError too-busy if it cannot be for now */
  async whenOpen(): Promise<OpenNamespace> {
    await this.#first;
    if (this.#open !== null) return this.#open;
    throw new WillisError('too-busy', `${this.namespace}: ${this.#failure ?? 'it is being closed'}`, {
      answerFields: ['Retry-After', '5'],
    });
  }

  /** Fulfilled when it has been tried. */
  opened(): Promise<void> {
    return this.#first;
  }

  report(): NamespaceReport {
    return this.#open?.report() ?? notOpen(this.namespace, this.kind, this.#failure);
  }

  /** Idempotent. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  /** This node holds it no more: others are told. */
  async leave(): Promise<void> {
    await this.#first;
    const { namespace } = this;
    await this.#open?.leave?.().catch((error: unknown) => {
      const { logger } = this.#options;
      logger.info(
        { code: 'not-left', namespace, error },
        'the primary could not be told that this node leaves the group',
      );
    });
    await this.stop();
  }

  /** After `stop`, where the node goes on with the same store of contents. */
  async letGo(): Promise<void> {
    try {
      await this.#closed?.letGo();
    } catch (error) {
      const { namespace } = this;
      const event = { code: 'contents-not-let-go', namespace, error };
      this.#options.logger.warn(event, 'contents that nobody needs stay until the next start');
    }
    this.#closed = null;
  }

  async #tryToOpen(): Promise<void> {
    if (this.#stopped !== null) return;
    const { logger, open } = this.#options;
    try {
      this.#open = await open();
      this.#failure = null;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      const { namespace } = this;
      logger.error({ code: 'namespace-failed', namespace, error }, 'a namespace cannot be opened; it is tried again');
      this.#retrying = setTimeout(() => void (this.#opening = this.#tryToOpen()), retry).unref();
    }
  }

  async #stop(): Promise<void> {
    if (this.#retrying !== null) clearTimeout(this.#retrying);
    await this.#opening;
    await this.#open?.stop();
    this.#closed = this.#open;
    this.#open = null;
  }
}
