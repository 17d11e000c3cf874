import { parseOriginUri, type OriginUri } from '../../config/origin-uri.js';
import { mostMirrors, shown, type ListedMirror, type ListFault, type ReadList } from './listed-mirrors.js';
import { parseMetalink } from './metalink.js';

/**
 * Reads a metalink, of version 4 (RFC 5854) or 3, or a list with one URL in each line:
 *
 *     # a comment; blank lines do not count either
 *     http://mirror.example.net/debian/               a final slash may be missing
 *     https://m.example.org/debian  priority:2        what follows a blank is for others (apt)
 *     Server = https://m.example.org/$repo/os/$arch   as pacman has it: up to the first variable
 *
 * Mirrors that are not reached by HTTP (`ftp`, `rsync` and the like) are passed over.
 */
export function parseMirrorList(text: string): ReadList {
  if (/^\uFEFF?\s*</.test(text)) return parseMetalink(text.replace(/^\uFEFF/, ''));
  return parseLines(text.replace(/^\uFEFF/, ''));
}

function parseLines(text: string): ReadList {
  const mirrors: ListedMirror[] = [];
  const faults: ListFault[] = [];
  const lines = text.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const read = parseLine(line);
    if (read === null) continue;
    if (typeof read === 'object') mirrors.push({ uri: read, area: null });
    else faults.push({ line: index + 1, expected: read, got: shown(line) });
  }
  const fault = (expected: string, got: string): void => void faults.push({ line: lines.length, expected, got });
  if (mirrors.length > mostMirrors) fault(`at most ${mostMirrors} mirrors`, String(mirrors.length));
  if (mirrors.length === 0 && faults.length === 0) fault('a mirror with an http or https URL', 'none');
  return faults.length > 0 ? { faults } : { list: { mirrors, files: [] } };
}

/** Null for a line that names no mirror of ours; a text says what was expected. */
function parseLine(line: string): OriginUri | string | null {
  if (/^\s*(?:#.*)?$/.test(line)) return null;
  const written = /^\s*(?:Server\s*=\s*)?(\S+)(?:\s.*)?$/.exec(line)?.[1] ?? '';
  if (/^(?:ftps?|rsync|file|torrent):/i.test(written)) return null;
  const variable = written.indexOf('$');
  const fixed = variable === -1 ? written : written.slice(0, written.lastIndexOf('/', variable) + 1);
  return parseOriginUri(fixed.endsWith('/') ? fixed : `${fixed}/`);
}
