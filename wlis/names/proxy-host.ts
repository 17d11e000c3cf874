import type { LogicalName } from './logical-name.js';

/** The name under which a client-side proxy has pages of its own: nobody can give it to anything else. */
export const PROXY_NAME = 'proxy' as LogicalName;

/** `proxy.wlis` */
export const PROXY_HOST = 'proxy.wlis';

/** Whether a host is that of the proxy's own pages, be it with the dot of the root. */
export const isProxyHost = (host: string): boolean => host === PROXY_HOST || host === `${PROXY_HOST}.`;

const origin = `http://${PROXY_HOST}`;

/** The page of the proxy about a page and those who have it. */
export const choicePageOf = (uri: string): string => `${CHOICE_PAGE}?of=${encodeURIComponent(uri)}`;

export const CHOICE_PAGE = `${origin}/choice`;
