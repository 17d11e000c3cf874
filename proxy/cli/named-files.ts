import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ConfigProblem } from '../../config/config-error.js';
import { filesNamedBy, type NamedFile } from '../../config/files.js';
import type { LoadedConfig } from '../../config/load.js';

/** What is wrong with the files that a configuration names: unreadable, not PEM, or a key of another certificate. */
export function problemsOfFiles(loaded: LoadedConfig): ConfigProblem[] {
  const files = filesNamedBy(loaded.config);
  return files.flatMap((file, index) => {
    const fault = faultOf(file, files[index - 1]);
    return fault === null ? [] : [{ ...loaded.positionOf(file.key), path: file.key, ...fault, hint: null }];
  });
}

type Fault = Pick<ConfigProblem, 'expected' | 'got'>;

function faultOf(file: NamedFile, before: NamedFile | undefined): Fault | null {
  switch (file.use) {
    case 'append':
      return fault('a file that can be written', file, () => checkAppendable(file.path));
    case 'secret':
      return fault('a file with one line', file, () => readSecret(file.path));
    case 'users':
      return fault('a readable file', file, () => accessSync(file.path, constants.R_OK));
    case 'certificate':
    case 'authorities':
      return (
        fault('a readable file', file, () => accessSync(file.path, constants.R_OK)) ??
        fault('a certificate in PEM', file, () => new X509Certificate(readFileSync(file.path)))
      );
    case 'key':
      return (
        fault('a readable file', file, () => accessSync(file.path, constants.R_OK)) ??
        fault('a private key in PEM', file, () => createSecureContext({ key: readFileSync(file.path) })) ??
        (before === undefined || faultOf(before, undefined) !== null
          ? null
          : fault(`the key of the certificate in ${before.path}`, file, () => checkPair(before.path, file.path)))
      );
  }
}

/** The secret in a file: its only line. @throws Error if it has none, or more than one, or cannot be read */
export function readSecret(path: string): string {
  const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  if (text === '' || /[\r\n]/.test(text)) throw new Error(text === '' ? 'it is empty' : 'it has several lines');
  return text;
}

function checkAppendable(path: string): void {
  accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
}

function checkPair(certificate: string, key: string): void {
  createSecureContext({ cert: readFileSync(certificate), key: readFileSync(key) });
}

function fault(expected: string, file: NamedFile, attempt: () => unknown): Fault | null {
  try {
    attempt();
    return null;
  } catch (error) {
    return { expected, got: `${file.path} (${error instanceof Error ? error.message : String(error)})` };
  }
}
