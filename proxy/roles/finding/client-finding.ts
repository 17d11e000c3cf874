import { formatListenAddress } from '../../../config/network-name.js';
import type { Config } from '../../../config/schema.js';
import type { Candidate } from '../../../wlis/choice/choice.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { LogicalNames } from '../../../wlis/names/logical-names.js';
import { OwnNames } from '../../../wlis/names/own-names.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { NotCanonical } from '../../../wlis/not-canonical.js';
import { hrefOf } from '../../http/target-uri.js';
import type { Lasting } from '../lasting.js';
import type { KeyProblem } from '../refused-configuration.js';
import type { FindingLayer } from './finding-layer.js';
import { PacSource } from './pac-source.js';
import { TargetReading } from './target-reading.js';

/** What a node tells browsers under one configuration. */
export function pacSource(config: Config, { clock, finding }: Pick<Lasting, 'clock' | 'finding'>): PacSource {
  const order = (known: KnownNamespace): readonly Candidate[] => {
    const { namespace: uri } = known;
    const question = { uri, path: '', size: null, client: '', now: clock.monotonic() };
    return finding.choice.chooser.wouldChoose(known, question).ranked.map(({ candidate }) => candidate);
  };
  return new PacSource({ config, known: () => lastUsedFirst(finding), order, clock });
}

/** How the forward proxy reads what it is asked for under one configuration. */
export function targetReading(
  config: Config,
  { clock, tlsOnly, finding }: Pick<Lasting, 'clock' | 'tlsOnly' | 'finding'>,
): TargetReading {
  const names = new LogicalNames(new OwnNames(config.wlis.names), () => finding.signedNames);
  const { httpsAsHttp } = config.clientSide;
  return new TargetReading({
    ...{ names, httpsAsHttp, tlsOnly, clock },
    finder: {
      of: (target) => finding.directory?.of(target) ?? null,
      get isEmpty() {
        return (finding.directory?.book.size ?? 0) === 0;
      },
    },
    want: (namespace) => void finding.directory?.want(namespace).catch(() => null),
  });
}

const lastUsedFirst = ({ directory }: FindingLayer): readonly KnownNamespace[] =>
  [...(directory?.book.all() ?? [])].sort((a, b) => b.used - a.used);

/** What the table of keys could not find wrong with what is said of finding. */
export function findingProblems({ wlis, clientSide, sites }: Config): KeyProblem[] {
  const names = new OwnNames(wlis.names).faults.map(({ name, ...fault }) => ({ key: `wlis.names.${name}`, ...fault }));
  const proxies = clientSide.pac.proxies.flatMap((one, index): KeyProblem[] => {
    // that is where a listener binds, and nowhere to be sent to
    if (one === 'self' || (one.port !== 0 && one.host !== '::' && one.host !== '0.0.0.0')) return [];
    const got = formatListenAddress(one);
    return [{ key: `clientSide.pac.proxies[${index}]`, expected: 'the address of one proxy', got }];
  });
  const gateways = sites.flatMap(({ isNamespace, origin }, index): KeyProblem[] => {
    const fault = isNamespace ? namespaceFault(hrefOf(origin)) : null;
    return fault === null ? [] : [{ key: `sites[${index}].namespace`, expected: 'the URL of a namespace', got: fault }];
  });
  return [...names, ...proxies, ...gateways];
}

function namespaceFault(url: string): string | null {
  try {
    parseNamespace(url);
    return null;
  } catch (error) {
    if (error instanceof NotCanonical) return `${url} (${error.message})`;
    throw error;
  }
}
