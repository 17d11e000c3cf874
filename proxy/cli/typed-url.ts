/**
 * A URL as requests have it, from what a person types or pastes: without its fragment, which never leaves a browser, and
 * with what may not stand in it percent-encoded. Everything else is left as it is, for the operator side to judge.
 */
export function typedUrl(text: string): string {
  const whole = text.trim().replace(/#.*$/s, '');
  if (/^[\x21-\x7e]*$/.test(whole)) return whole;
  return URL.canParse(whole) ? new URL(whole).href : encodeURI(whole);
}
