import { escapeHtml } from '../../proxy/http/html-page.js';

/** OpenSearch 1.1: how a browser makes a question of what is typed into its own search field. @param url of the search, absolute */
export const openSearchText = (name: string, url: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
<ShortName>${escapeHtml(Array.from(name).slice(0, longestName).join(''))}</ShortName>
<Description>${escapeHtml(`What ${name} holds and may be searched`)}</Description>
<InputEncoding>UTF-8</InputEncoding>
<Url type="text/html" template="${escapeHtml(url)}?q={searchTerms}"/>
<Url type="application/json" template="${escapeHtml(url)}?q={searchTerms}"/>
</OpenSearchDescription>
`;

/** As the specification has it. */
const longestName = 16;
