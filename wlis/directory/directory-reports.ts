import type { EpochMs } from '../../config/units.js';
import { canonicalUri } from '../canonical-uri.js';
import type { Blamed } from '../health/health-table.js';
import { NotCanonical } from '../not-canonical.js';
import type { GroupMember } from '../trust/group-member.js';
import { keyIdOf } from '../trust/public-key.js';
import { signerFor } from '../trust/root-statement.js';
import type { Directory } from './directory.js';
import type {
  AuthorityReport,
  DirectoryControl,
  DirectoryFigures,
  GroupReport,
  MemberReport,
  NameReport,
  TrustReport,
} from './directory-control.js';
import type { KnownAuthority } from './known-authority.js';
import type { LearnedNamespace } from './learned-namespace.js';
import { targetOfUri } from './target-of-uri.js';
import { bytes } from '../../config/units.js';

/** Tells the operator what a directory knows. */
export class DirectoryReports implements DirectoryControl {
  readonly #directory: () => Directory | null;
  readonly #now: () => EpochMs;
  readonly #liars: () => readonly Blamed[];

  /**
   * @param directory null while there is none
   * @param now by the own clock, corrected by what others say of the time
   * @param liars nodes that have sent what cannot be true
   */
  constructor(directory: () => Directory | null, now: () => EpochMs, liars: () => readonly Blamed[] = () => []) {
    this.#directory = directory;
    this.#now = now;
    this.#liars = liars;
  }

  groups(): readonly GroupReport[] {
    const known = [...(this.#directory()?.book.all() ?? [])].sort((a, b) => b.used - a.used);
    return known.map((one) => groupReport(one, this.#now()));
  }

  group(uri: string): GroupReport | null {
    const directory = this.#directory();
    try {
      const known = directory?.book.of(targetOfUri(canonicalUri(uri))) ?? null;
      return known && groupReport(known, this.#now());
    } catch (error) {
      if (error instanceof NotCanonical) return null;
      throw error;
    }
  }

  trust(): TrustReport {
    const directory = this.#directory();
    const liars = this.#liars();
    if (directory === null) return { authorities: [], names: [], peers: [], refused: [], liars };
    const now = this.#now();
    const authorities = [...directory.book.authorities()].flatMap((one) => authorityReport(one, now));
    const names = [...directory.names.all()].map(([, { statement }]): NameReport => {
      const { name, namespace, serial, expires, key } = statement;
      return { name, namespace, serial, expires, by: keyIdOf(key), hasExpired: now >= expires };
    });
    return {
      authorities: authorities.sort((a, b) => (a.origin < b.origin ? -1 : 1)),
      names: names.sort((a, b) => (a.name < b.name ? -1 : 1)),
      peers: directory.peers,
      refused: directory.refusals.last,
      liars,
    };
  }

  async forget(origin: string): Promise<boolean> {
    return (await this.#directory()?.forget(origin)) ?? false;
  }

  figures(): DirectoryFigures {
    const directory = this.#directory();
    if (directory === null) return nothing;
    const { book, names, refusals, peers, underWay } = directory;
    return {
      namespaces: book.size,
      authorities: [...book.authorities()].length,
      names: names.size,
      bytes: book.bytes,
      underWay,
      refused: refusals.counts,
      peers,
    };
  }
}

function groupReport(
  { namespace, group: { group }, learned, used, head }: LearnedNamespace,
  now: EpochMs,
): GroupReport {
  const { version, primary, replicas, issued, expires } = group;
  return {
    ...{ namespace, version, learned, used, issued, expires, primary: memberReport(primary) },
    replicas: replicas.map((replica) => ({
      ...memberReport(replica),
      ...{ access: replica.access, browsers: replica.browsers, delegate: replica.delegate },
      ...{ isPart: replica.subset !== null, activeUntil: replica.activeUntil },
    })),
    hasExpired: now >= expires,
    head: head && { epoch: head.head.epoch, seq: head.head.seq },
  };
}

const memberReport = ({ key, urls, place, capacity }: GroupMember): MemberReport => ({
  ...{ key: keyIdOf(key), urls, capacity },
  area: place?.area ?? null,
});

function authorityReport({ origin, pin, chain, namespaces }: KnownAuthority, now: EpochMs): AuthorityReport[] {
  const statement = chain.at(-1)?.statement;
  if (pin === null || statement === undefined) return [];
  const { rootKey, serial, learnedBy } = pin;
  const stated = namespaces.map(({ namespace }) => {
    const signer = signerFor(statement, namespace, now);
    return { namespace, signer: signer && keyIdOf(signer.key), notAfter: signer?.notAfter ?? null };
  });
  return [{ origin, rootKey, serial, learnedBy, namespaces: stated }];
}

const nothing: DirectoryFigures = {
  ...{ namespaces: 0, authorities: 0, names: 0, bytes: bytes(0), underWay: 0, refused: {}, peers: [] },
};
