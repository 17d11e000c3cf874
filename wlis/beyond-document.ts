/**
 * Fields by which an answer reaches beyond its document, to others of the same browser origin, of the same site, or to the node
 * itself (protocol decision 6): wherever documents of several owners share that, none has them. Lower case. What
 * records themselves leave out is less, and a part of their format (`trust/fields-block.ts`).
 */
export const beyondDocument: ReadonlySet<string> = new Set([
  ...['set-cookie', 'set-cookie2', 'service-worker-allowed', 'clear-site-data', 'strict-transport-security', 'alt-svc'],
  ...['nel', 'report-to', 'reporting-endpoints', 'public-key-pins', 'public-key-pins-report-only', 'expect-ct'],
  ...['accept-ch', 'critical-ch', 'www-authenticate', 'origin-agent-cluster', 'x-content-type-options'],
  // sessions and logins, dictionaries for others (RFC 9842), and what advertisers have measured, are of an origin or a site too
  ...['secure-session-registration', 'sec-session-registration', 'set-login', 'use-as-dictionary'],
  ...['activate-storage-access', 'observe-browsing-topics'],
  ...['attribution-reporting-register-source', 'attribution-reporting-register-trigger'],
]);
