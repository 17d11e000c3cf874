import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { filesNamedBy, type NamedFile } from '../../config/files.js';
import type { Config } from '../../config/schema.js';
import { bytes } from '../../config/units.js';
import { parseMirrorList } from '../../wlis/mirrors/mirror-list.js';
import { parseUsers } from '../access/users-file.js';
import type { KeyProblem } from './refused-configuration.js';

/** More than any certificate, list of users or bundle of authorities needs. */
const largest = bytes(16 * 1024 * 1024);

/**
 * The files that a configuration names for reading, each read once, so that what was checked is what is used, and all
 * parts of a node see the same.
 */
export class FileContents {
  /** What is wrong with them, and with files that are to be written. */
  readonly problems: readonly KeyProblem[];
  readonly #files: readonly NamedFile[];
  readonly #contents = new Map<string, Buffer>();

  constructor(config: Config) {
    this.#files = filesNamedBy(config);
    this.problems = this.#files.flatMap((file, index) => this.#check(file, this.#files[index - 1]) ?? []);
  }

  /** The content of a file that the configuration names and that has no problem. */
  text(path: string): string {
    return this.#of(path).toString('utf8');
  }

  /** The secret in a file: its only line. */
  secret(path: string): string {
    return this.text(path).replace(/\r?\n$/, '');
  }

  /** The files that the same keys named before, and that have another content now. */
  changedSince(before: FileContents): NamedFile[] {
    const had = new Map(before.#files.map(({ key, path }) => [key, path]));
    return this.#files.filter(({ key, path, use }) => {
      const then = had.get(key) === path ? before.#contents.get(path) : undefined;
      return use !== 'append' && then !== undefined && !then.equals(this.#of(path));
    });
  }

  #of(path: string): Buffer {
    const content = this.#contents.get(path);
    if (content === undefined) throw new Error(`${path} is not among the files of this configuration`);
    return content;
  }

  #check(file: NamedFile, before: NamedFile | undefined): KeyProblem | KeyProblem[] | null {
    if (file.use === 'append') return problem('a file that can be written', file, () => checkAppendable(file.path));
    return problem('a readable file', file, () => this.#read(file.path)) ?? this.#checkContent(file, before);
  }

  #read(path: string): void {
    if (this.#contents.has(path)) return;
    const found = statSync(path);
    if (!found.isFile()) throw new Error('it is no ordinary file');
    if (found.size > largest) throw new Error('it is too large');
    this.#contents.set(path, readFileSync(path));
  }

  #checkContent(file: NamedFile, before: NamedFile | undefined): KeyProblem | KeyProblem[] | null {
    switch (file.use) {
      case 'secret':
        return problem('a file with one line', file, () => checkSecret(this.secret(file.path)));
      case 'certificate':
      case 'authorities':
        return problem('a certificate in PEM', file, () => checkCertificates(this.text(file.path)));
      case 'key':
        return (
          problem('a private key in PEM', file, () => createPrivateKey(this.#of(file.path))) ??
          (before === undefined ? null : this.#checkPair(before, file))
        );
      case 'users':
        return this.#usersProblems(file);
      case 'mirrors':
        return this.#mirrorsProblems(file);
      case 'module':
      case 'append':
        return null;
    }
  }

  /** The lines of a file of users that cannot stand. */
  #usersProblems({ key, path }: NamedFile): KeyProblem[] {
    const read = parseUsers(this.text(path));
    return 'faults' in read ? toldFaults(key, path, read.faults) : [];
  }

  #mirrorsProblems({ key, path }: NamedFile): KeyProblem[] {
    const read = parseMirrorList(this.text(path));
    return 'faults' in read ? toldFaults(key, path, read.faults) : [];
  }

  /** Whether a key belongs to its certificate, if that is one. */
  #checkPair(certificate: NamedFile, key: NamedFile): KeyProblem | null {
    const content = this.#contents.get(certificate.path);
    const isUsable = content !== undefined && this.#checkContent(certificate, undefined) === null;
    if (!isUsable) return null;
    return problem(`the key of the certificate in ${certificate.path}`, key, () => {
      const pair = new X509Certificate(content).checkPrivateKey(createPrivateKey(this.#of(key.path)));
      if (!pair) throw new Error('it belongs to another one');
    });
  }
}

interface LineFault {
  readonly line: number;
  readonly expected: string;
  readonly got: string;
}

/** Of very many the first ones. */
const toldFaults = (key: string, path: string, faults: readonly LineFault[]): KeyProblem[] =>
  faults.slice(0, 20).map(({ line, expected, got }) => ({ key, expected, got: `${got} (${path}:${line})` }));

/** All of them: whoever reads a file of several stops at the first that is broken, and says nothing. */
function checkCertificates(text: string): void {
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/g) ?? [];
  const whole = text.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g) ?? [];
  if (begun.length === 0) throw new Error('it has none');
  if (whole.length < begun.length) throw new Error('one of them breaks off');
  for (const one of whole) new X509Certificate(one);
}

function checkSecret(secret: string): void {
  if (secret === '') throw new Error('it is empty');
  if (/[\r\n]/.test(secret)) throw new Error('it has several lines');
}

function checkAppendable(path: string): void {
  accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
}

function problem(expected: string, { key, path }: NamedFile, attempt: () => unknown): KeyProblem | null {
  try {
    attempt();
    return null;
  } catch (error) {
    return { key, expected, got: `${path} (${error instanceof Error ? error.message : String(error)})` };
  }
}
