import { namedSubject, parseDestinationRule } from './destination-rules.js';

/**
 * Whether a destination is one of those that are reached directly although there is a parent proxy, by its host as the URI
 * names it: names are not resolved, for behind a parent proxy nobody may be able to. @throws TypeError for what is no entry
 */
export function noProxyTest(entries: readonly string[]): (host: string) => boolean {
  const rules = entries.map(parseDestinationRule);
  if (rules.length === 0) return () => false;
  return (host) => {
    const subject = namedSubject(host);
    return subject !== null && rules.some((rule) => rule(subject) !== null);
  };
}
