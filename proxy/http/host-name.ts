/** A host as the resolver takes it: an IPv6 literal without its brackets. */
export const bareHost = (host: string): string =>
  host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;

/** A name in lower case and without the dot of the root. */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');
