import { formatProxyUri } from '../../../config/origin-uri.js';
import type { Config } from '../../../config/schema.js';
import type { EpochMs } from '../../../config/units.js';
import type { ReaderChoices } from '../../../wlis/choice/reader-choices.js';
import type { GroupChooser } from '../../../wlis/choice/group-chooser.js';
import type { Request } from '../../http/message.js';
import { hrefOf, type TargetUri } from '../../http/target-uri.js';
import type { PartServer, ServedPart, ServedParts } from './served-parts.js';

export interface ReaderChoosingOptions {
  readonly config: Pick<Config, 'node'>;
  readonly parts: Pick<ServedParts, 'of'>;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly choice: { readonly readers: ReaderChoices; readonly chooser: Pick<GroupChooser, 'ruleFor'> };
}

/** What a reader's choice comes to for a page. */
export type ReadersWill =
  /** Nothing was chosen, or there is nothing to choose. */
  | { readonly kind: 'none' }
  /** The operator has chosen for all. */
  | { readonly kind: 'rule'; readonly match: string }
  | { readonly kind: 'chosen'; readonly server: PartServer }
  /** He has chosen one that has left the group since: that choice has ended. */
  | { readonly kind: 'gone'; readonly from: string };

/** Whom requests go to by the will of their readers. */
export class ReaderChoosing {
  readonly #options: ReaderChoosingOptions;
  readonly #ownUrl: string | null;

  constructor(options: ReaderChoosingOptions) {
    this.#options = options;
    const { url } = options.config.node;
    this.#ownUrl = url === null ? null : formatProxyUri(url);
  }

  /** The server from which alone a request is to be answered: its URL, or `primary`; null where the node chooses. */
  serverFor({ method, target, client }: Request): string | null {
    const { choice, parts } = this.#options;
    if (choice.readers.size === 0 || (method !== 'GET' && method !== 'HEAD')) return null;
    const served = parts.of(target);
    const will = served === null ? none : this.of(client.address, served, target);
    return will.kind === 'chosen' ? will.server.value : null;
  }

  of(client: string, { part, servers }: ServedPart, target: TargetUri): ReadersWill {
    const { readers, chooser } = this.#options.choice;
    const rule = chooser.ruleFor(hrefOf(target));
    if (rule !== null) return { kind: 'rule', match: rule.match };
    const from = readers.of(client, part);
    if (from === null) return none;
    const server = servers.find(({ value, urls }) => value === from || (from !== 'primary' && urls.includes(from)));
    return server?.isActive(this.#options.now()) !== true ? { kind: 'gone', from } : { kind: 'chosen', server };
  }

  /** Whether that is this node itself. */
  isOwn(server: string): boolean {
    return server === this.#ownUrl;
  }
}

const none: ReadersWill = { kind: 'none' };
