/**
 * The media type of a file by its name and what its bytes can be. Text has its charset only if the bytes are UTF-8, so that a
 * document that says its own in another encoding is believed. What no table knows is text or not by its bytes.
 * @param own types by extension, before those that are known here
 */
export function mediaTypeOf(name: string, isText: boolean, own: Readonly<Record<string, string>>): string {
  const extension = /[^.]\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const type = Object.hasOwn(own, extension) ? own[extension] : known(extension, isText);
  if (type === undefined) return isText ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  return isText && type.startsWith('text/') && !type.includes(';') ? `${type}; charset=utf-8` : type;
}

/** What is text cannot be a transport stream; it is TypeScript. */
const known = (extension: string, isText: boolean): string | undefined =>
  extension === 'ts' && isText ? undefined : byExtension.get(extension);

/** IANA's names, with the extensions that are in use for them. */
const table: Readonly<Record<string, string>> = {
  'text/html': 'html htm shtml',
  'text/css': 'css',
  'text/javascript': 'js mjs cjs',
  'text/plain': 'txt text log conf ini',
  'text/markdown': 'md markdown',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'text/xml': 'xml xsl xslt',
  'text/calendar': 'ics',
  'text/vcard': 'vcf',
  'text/vtt': 'vtt',
  'application/json': 'json map',
  'application/ld+json': 'jsonld',
  'application/geo+json': 'geojson',
  'application/manifest+json': 'webmanifest',
  'application/feed+json': 'feed',
  'application/atom+xml': 'atom',
  'application/rss+xml': 'rss',
  'application/xhtml+xml': 'xhtml xht',
  'application/rdf+xml': 'rdf',
  'application/metalink4+xml': 'meta4',
  'application/yaml': 'yaml yml',
  'application/toml': 'toml',
  'application/wasm': 'wasm',
  'application/pdf': 'pdf',
  'application/postscript': 'ps eps ai',
  'application/rtf': 'rtf',
  'application/epub+zip': 'epub',
  'application/zip': 'zip',
  'application/gzip': 'gz tgz',
  'application/x-bzip2': 'bz2',
  'application/x-xz': 'xz txz',
  'application/zstd': 'zst',
  'application/x-7z-compressed': '7z',
  'application/x-tar': 'tar',
  'application/vnd.rar': 'rar',
  'application/java-archive': 'jar war',
  'application/vnd.debian.binary-package': 'deb udeb',
  'application/x-rpm': 'rpm',
  'application/vnd.android.package-archive': 'apk',
  'application/x-iso9660-image': 'iso',
  'application/x-bittorrent': 'torrent',
  'application/pgp-signature': 'sig',
  'application/pgp-keys': 'gpg',
  'application/pkix-cert': 'cer',
  'application/x-pem-file': 'pem',
  'application/sql': 'sql',
  'application/x-sh': 'sh',
  'application/x-ns-proxy-autoconfig': 'pac',
  'application/msword': 'doc',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.oasis.opendocument.presentation': 'odp',
  'image/png': 'png',
  'image/apng': 'apng',
  'image/jpeg': 'jpg jpeg jpe',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/jxl': 'jxl',
  'image/heic': 'heic',
  'image/svg+xml': 'svg',
  'image/bmp': 'bmp',
  'image/tiff': 'tif tiff',
  'image/vnd.microsoft.icon': 'ico',
  'font/woff2': 'woff2',
  'font/woff': 'woff',
  'font/ttf': 'ttf',
  'font/otf': 'otf',
  'font/collection': 'ttc',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/ogg': 'ogg oga opus',
  'audio/flac': 'flac',
  'audio/wav': 'wav',
  'audio/midi': 'mid midi',
  'video/mp4': 'mp4 m4v',
  'video/webm': 'webm',
  'video/ogg': 'ogv',
  'video/quicktime': 'mov',
  'video/x-matroska': 'mkv',
  'video/mp2t': 'ts',
  'application/vnd.apple.mpegurl': 'm3u8',
  'application/dash+xml': 'mpd',
};

const byExtension = new Map(
  Object.entries(table).flatMap(([type, extensions]) => extensions.split(' ').map((one) => [one, type] as const)),
);
