import { epochMs, seconds, type EpochMs } from '../../config/units.js';
import type { Provenance, Source } from '../../proxy/http/provenance.js';
import { originOf } from '../../wlis/namespace.js';
import type { SignedHead } from '../../wlis/trust/head.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { HeldNamespace } from '../held-namespace.js';
import type { Confirmed } from './serving-status.js';

/** Whom a held document is from: this node, which has confirmed it when it got the head that it answers by. */
export class HeldProvenance implements Provenance {
  readonly ageThen = seconds(0);
  readonly freshUntil = null;
  readonly receivedAt: EpochMs;
  readonly source: Source;
  readonly contentName: string;

  /** @param url of this node, empty if it has none */
  constructor(
    { role, namespace, edition, confirmedAge }: Pick<HeldNamespace, 'role' | 'namespace' | 'edition' | 'confirmedAge'>,
    { url, confirmed, variant, now }: { url: string; confirmed: Confirmed; variant: Variant; now: EpochMs },
  ) {
    const signed = edition?.head ?? null;
    const version = signed && { epoch: signed.head.epoch, seq: signed.head.seq };
    const own = url === '' && role === 'primary' ? originOf(namespace) : url;
    this.source = { url: own, role, version, isUnconfirmed: confirmed === 'unconfirmed' };
    this.receivedAt = signed === null ? now : confirmedAt(signed, epochMs(now - confirmedAge));
    this.contentName = `sha-256 ${variant.digest}`;
  }
}

/** Measured once for each head: the age that is handed down is never quite the same again. */
function confirmedAt(signed: SignedHead, measured: EpochMs): EpochMs {
  const known = times.get(signed);
  if (known !== undefined) return known;
  times.set(signed, measured);
  return measured;
}

const times = new WeakMap<SignedHead, EpochMs>();
