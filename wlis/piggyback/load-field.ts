import { bytes, type Bytes } from '../../config/units.js';
import { isCount, shortItem } from './told-namespace.js';

/** The field in which a node says how much it has to do. */
export const LOAD_FIELD = 'WLIS-Load';

export interface ToldLoad {
  /** 0 for nothing at all, 1 for all that it can do; above that requests wait. At most 1000. */
  readonly load: number;
  /** Answers in a second. */
  readonly rps: number;
  /** Content sent in a second. */
  readonly bps: Bytes;
  /** How much it can take beside the other members of its group. */
  readonly capacity: number;
}

/** `0.42;rps=120;bps=8100000;capacity=4` */
export function loadField({ load, rps, bps, capacity }: ToldLoad): string {
  const share = Math.min(mostLoad, Math.max(0, load)).toFixed(2);
  return `${share};rps=${whole(rps)};bps=${whole(bps)};capacity=${whole(capacity)}`;
}

/** Null for all that `loadField` does not make; parameters that are not known are passed over. */
export function parseLoadField(value: string | undefined): ToldLoad | null {
  const item = shortItem(value);
  if (item === null) return null;
  const { value: load, params } = item;
  const [rps, bps, capacity] = [params.get('rps'), params.get('bps'), params.get('capacity')];
  if (typeof load !== 'number' || load < 0 || load > mostLoad) return null;
  if (!isCount(rps) || !isCount(bps) || !isCount(capacity) || capacity === 0 || capacity > mostCapacity) return null;
  return { load, rps, bps: bytes(bps), capacity };
}

/** As an Integer has to be (RFC 9651 §3.3.1). */
const whole = (value: number): number => Math.min(999_999_999_999_999, Math.max(0, Math.round(value)));

const mostLoad = 1000;
/** As in a group. */
const mostCapacity = 1_000_000;
