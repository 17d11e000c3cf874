import { milliseconds, type Milliseconds } from '../../config/units.js';
import { parseItem } from '../../proxy/http/structured-fields.js';
import { NotBelieved } from '../trust/not-believed.js';

/** The field that says which head an answer speaks of. */
export const HEAD_FIELD = 'WLIS-Head';

/** A head as it is told, and how long ago its primary published it, as far as the one who tells it knows. */
export interface ToldHead {
  readonly jws: string;
  readonly age: Milliseconds;
}

/** The value: a String with the JWS, and its age in whole milliseconds (RFC 9651). */
export const headField = ({ jws, age }: ToldHead): string =>
  // a JWS has nothing in it that a string would have to escape (RFC 9651 §3.3.3)
  `"${jws}";age=${Math.min(longestAge, Math.max(0, Math.ceil(age)))}`;

/** @throws NotBelieved malformed if it is not there, or not as `headField` writes it */
export function parseHeadField(value: string | undefined): ToldHead {
  if (value === undefined) throw new NotBelieved('malformed', `there is no ${HEAD_FIELD}`);
  const item = parseItem(value);
  const age = item?.params.get('age');
  if (typeof item?.value !== 'string' || typeof age !== 'number' || !Number.isSafeInteger(age) || age < 0) {
    throw new NotBelieved('malformed', `${HEAD_FIELD} is not a string with an age`);
  }
  return { jws: item.value, age: milliseconds(age) };
}

/** The largest Integer (RFC 9651 §3.3.1). */
const longestAge = 999_999_999_999_999;
