import type { Place } from '../trust/group-member.js';

/** A place as operators write it, in degrees, as groups have it; null where nothing is said. */
export function placeOf(said: {
  readonly lat: number | null;
  readonly lon: number | null;
  readonly area: string | null;
}): Place | null {
  const { lat, lon, area } = said;
  const position =
    lat === null || lon === null ? null : { latitude: Math.round(lat * 1000), longitude: Math.round(lon * 1000) };
  return position === null && area === null ? null : { area, position };
}
