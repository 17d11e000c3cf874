import { formatListenAddress } from '../../../config/network-name.js';
import { formatProxyUri } from '../../../config/origin-uri.js';
import { PageRules } from '../../../wlis/html/bar/page-rules.js';
import { LogicalNames } from '../../../wlis/names/logical-names.js';
import { OwnNames } from '../../../wlis/names/own-names.js';
import type { Listener } from '../../../config/side-keys.js';
import type { TargetUri } from '../../http/target-uri.js';
import { mayDropTls, type TargetReading } from '../finding/target-reading.js';
import { helpPage } from '../help-page.js';
import type { Lasting } from '../lasting.js';
import type { Shared } from '../side.js';
import { ChoiceFacts } from './choice-facts.js';
import { ClientPages } from './client-pages.js';
import { ClientRecipes } from './client-recipes.js';
import { KnownNames } from './known-names.js';
import { ProxyPages } from './proxy-pages.js';
import { ReaderChoosing } from './reader-choosing.js';
import { ServedParts } from './served-parts.js';
import { ServerStates } from './server-states.js';

/** What readers of the forward proxy get, and say, of where their pages come from, under one configuration. */
export function clientViews(
  shared: Pick<Shared, 'config' | 'files' | 'identity' | 'access'>,
  lasting: Lasting,
  { listener, reading }: { readonly listener: Listener; readonly reading: TargetReading },
): { readonly pages: ClientPages; readonly own: ProxyPages } {
  const { config, identity, access } = shared;
  const { finding, clock, views, store } = lasting;
  const { choice, failover } = finding;
  const { name } = identity;
  const { health, readers, tokens } = choice;
  const { url } = config.node;
  const now = () => failover.now();
  const rules = new PageRules(config.clientSide.html);
  const parts = new ServedParts({ ...shared, finding });
  const states = new ServerStates(choice);
  const choosing = new ReaderChoosing({ config, parts, choice, now });
  const recipes = new ClientRecipes({
    ...{ name, rules, parts, states, choosing, tokens, health, clock, now },
    ownUrl: url && formatProxyUri(url),
    names: knownNames(config, lasting),
    mayDropTls: mayDropTls(config.clientSide),
  });
  const proxy = formatListenAddress(listener.address);
  return {
    pages: new ClientPages({ views, recipes, choosing, leavesAll: rules.leavesAll }),
    own: new ProxyPages({
      ...{ name, access, reading, parts, readers, tokens, clock, now },
      learn: (target) => learned(target, lasting),
      facts: new ChoiceFacts({ name, states, choosing, tokens, health, store, now }),
      help: (request) => helpPage(request, { name, proxy, site: null, admin: null }, clock.now()),
    }),
  };
}

/** What this node holds it has from its parent: who else has it is found out when a reader wants to choose. */
function learned(target: TargetUri, { namespaces, finding: { directory } }: Lasting): Promise<unknown> | null {
  const entry = namespaces.entries.of(target);
  if (entry === null || directory === null || directory.of(target) !== null) return null;
  return directory.want(entry.namespace).catch(() => null);
}

/** Those of the operator, and those that others have signed. */
function knownNames({ wlis }: Shared['config'], { finding, clock }: Pick<Lasting, 'finding' | 'clock'>): KnownNames {
  const own = new OwnNames(wlis.names);
  const names = new LogicalNames(own, () => finding.signedNames);
  return new KnownNames({ names, own, clock, signed: () => finding.directory?.names ?? null });
}
