import { trimOws } from './fields.js';

/**
 * The weight that the parameters of a member of `Accept-Encoding` or `Accept-Language` give, 0 to 1000, 1000 without one
 * (RFC 9110 §12.4.2); null if they are anything but one weight.
 */
export function weightOf(parameters: readonly string[]): number | null {
  const [parameter] = parameters;
  if (parameter === undefined) return 1000;
  const weight = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i.exec(trimOws(parameter));
  return weight === null || parameters.length > 1 ? null : Math.round(Number(weight[1]) * 1000);
}
