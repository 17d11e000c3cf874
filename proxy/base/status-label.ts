/**
 * A status code as it labels a metric: itself if it is registered (IANA, HTTP Status Code Registry) or this program's own,
 * otherwise its class, as in `2xx`. Servers that make up codes cannot make up metrics by that.
 */
export const statusLabel = (status: number): string | number => labels[status] ?? 'other';

const known: ReadonlySet<number> = new Set([
  ...[100, 101, 102, 103, 104],
  ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226],
  ...[300, 301, 302, 303, 304, 305, 307, 308],
  ...[400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417],
  ...[421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499],
  ...[500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
]);

const labels = Array.from({ length: 1000 }, (_, status) =>
  known.has(status) ? status : `${Math.floor(status / 100)}xx`,
);
