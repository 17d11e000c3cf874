import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Place } from '../trust/group-member.js';

/**
 * How long an answer takes to begin to come from a place, as the map tells it, where nothing has been measured: along the
 * great circle at two thirds of the speed of light, there and back, by ways half as long again.
 */
export function distanceBetween(own: Place | null, other: Place | null): Milliseconds {
  if (own === null || other === null) return anywhere;
  if (own.position !== null && other.position !== null) {
    return milliseconds(nearest + kilometres(own.position, other.position) * perKilometre);
  }
  if (own.area === null || other.area === null) return anywhere;
  return own.area === other.area ? sameArea : otherArea;
}

type Position = NonNullable<Place['position']>;

/** By the haversine formula, on a sphere. */
function kilometres(a: Position, b: Position): number {
  const [from, to] = [radians(a.latitude), radians(b.latitude)];
  const half = (angle: number): number => Math.sin(angle / 2) ** 2;
  const chord = half(to - from) + Math.cos(from) * Math.cos(to) * half(radians(b.longitude - a.longitude));
  return 2 * earth * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** @param thousandths of a degree */
const radians = (thousandths: number): number => (thousandths / 1000 / 180) * Math.PI;

/** Radius in kilometres. */
const earth = 6371;
/** Milliseconds: 200 km in one, 1.5 times the distance, twice. */
const perKilometre = 3 / 200;
const nearest = 2;
const sameArea = milliseconds(25);
const otherArea = milliseconds(70);
const anywhere = milliseconds(50);
