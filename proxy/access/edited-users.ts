import { formatCredential, isBlank, parseCredential, type Credential } from './users-file.js';

type Kind = Credential['kind'];

/** A file of users with a credential in place of one of the same user and kind, or at its end. Other lines stay. */
export function withCredential(text: string, credential: Credential): string {
  const line = formatCredential(credential);
  const lines = linesOf(text);
  const at = lines.findIndex((one) => isOf(one, credential.name, credential.kind));
  return joined(at === -1 ? [...lines, line] : lines.with(at, line));
}

/** A file of users without a user, or without one kind of credential of that user; null if there is none to remove. */
export function withoutUser(text: string, name: string, kind: Kind | null): string | null {
  const lines = linesOf(text);
  const kept = lines.filter((line) => !isOf(line, name, kind));
  return kept.length === lines.length ? null : joined(kept);
}

function isOf(line: string, name: string, kind: Kind | null): boolean {
  if (isBlank(line)) return false;
  const read = parseCredential(line);
  return 'kind' in read && read.name === name.normalize('NFC') && (kind === null || read.kind === kind);
}

const linesOf = (text: string): string[] =>
  text.split(/\r?\n/).filter((line, i, all) => i < all.length - 1 || line !== '');

const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
