import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TempDir } from './temp-dir.js';

export interface Certificates {
  /** PEM text of the authority. */
  readonly ca: string;
  /** For localhost, 127.0.0.1 and ::1, signed by the authority. */
  readonly leaf: { readonly key: string; readonly cert: string };
}

/** Writes a certificate and its key; gives their paths, as a configuration names them. */
export async function writePem(
  directory: TempDir,
  { cert, key }: Certificates['leaf'],
  name = 'site',
): Promise<{ cert: string; key: string }> {
  return { cert: await directory.write(`${name}.pem`, cert), key: await directory.write(`${name}.key`, key) };
}

const run = promisify(execFile);
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority of its own and a certificate for this machine's loopback names. */
export async function makeCertificates(): Promise<Certificates> {
  const dir = await TempDir.create();
  const at = (name: string): string => join(dir.path, name);
  const read = (name: string): Promise<string> => readFile(at(name), 'utf8');
  try {
    const authority = ['-subj', '/CN=Test authority', '-addext', 'basicConstraints=critical,CA:TRUE'];
    const caFiles = ['-keyout', at('ca.key'), '-out', at('ca.pem')];
    await run('openssl', ['req', '-x509', ...newKey, ...caFiles, '-days', '2', ...authority]);
    await run('openssl', ['req', ...newKey, '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=localhost']);
    const extensions = await dir.write('ext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n');
    const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
    await run('openssl', ['x509', '-req', '-in', at('csr'), ...signing, '-extfile', extensions, '-out', at('cert')]);
    return { ca: await read('ca.pem'), leaf: { key: await read('key'), cert: await read('cert') } };
  } finally {
    await dir.remove();
  }
}
