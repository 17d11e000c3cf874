import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { TempDir } from '../support/temp-dir.js';
import { filesOf, pattern } from './document-tree.js';
import { succeed } from './programs.js';

/** What the repository has. */
export const packages: readonly string[] = ['left', 'right', 'middle+extra'];

export interface RepositoryOptions {
  /** Whether clients get Packages by its digest, so that it is always the one that they know of. */
  readonly byHash?: boolean;
}

/** A repository as `deb [trusted=yes] … stable main` asks for: Release, Packages and a pool of packages. */
export async function writeRepository(directory: TempDir, { byHash = false }: RepositoryOptions = {}): Promise<void> {
  const root = join(directory.path, 'repository');
  await mkdir(join(root, 'pool'), { recursive: true });
  const entries: string[] = [];
  for (const name of packages) {
    const control = `Package: ${name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n`;
    await directory.write(`build/${name}/DEBIAN/control`, control);
    await directory.write(`build/${name}/usr/share/${name}/data`, pattern(300_000).subarray(name.length * 400));
    const file = `pool/${name}_1.0-1_all.deb`;
    const built = join(directory.path, 'build', name);
    await succeed('dpkg-deb', ['--build', '--root-owner-group', '-Znone', built, join(root, file)]);
    const content = await readFile(join(root, file));
    entries.push(`${control}Filename: ${file}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`);
  }
  const index = Buffer.from(entries.join('\n'));
  const indices = 'repository/dists/stable/main/binary-amd64';
  await directory.write(`${indices}/Packages`, index);
  if (byHash) await directory.write(`${indices}/by-hash/SHA256/${sha256(index)}`, index);
  const release = [
    'Suite: stable\nCodename: stable\nComponents: main\nArchitectures: amd64',
    'Date: Wed, 01 Jan 2020 00:00:00 UTC',
    `Acquire-By-Hash: ${byHash ? 'yes' : 'no'}`,
    `SHA256:\n ${sha256(index)} ${index.length} main/binary-amd64/Packages`,
  ];
  await directory.write('repository/dists/stable/Release', `${release.join('\n')}\n`);
  const longAgo = new Date('2020-01-01T00:00:00Z');
  const entriesBelow = await readdir(root, { recursive: true });
  for (const path of entriesBelow) await utimes(join(root, path), longAgo, longAgo);
}

/** A machine with nothing but its sources of packages. */
export class AptMachine {
  constructor(
    private readonly directory: TempDir,
    private readonly name: string,
    private readonly repository: string,
  ) {}

  /** Updates, downloads all packages, and gives the files that it got. @param settings of apt, beside those it needs */
  async download(proxy: string, settings: Readonly<Record<string, string>> = {}): Promise<Map<string, Buffer>> {
    const at = (path: string): string => join(this.directory.path, this.name, path);
    for (const path of ['state/lists/partial', 'cache/archives/partial', 'etc', 'got'])
      await mkdir(at(path), { recursive: true });
    const sources = `deb [trusted=yes] ${this.repository} stable main\n`;
    await this.directory.write(`${this.name}/etc/sources.list`, sources);
    await this.directory.write(`${this.name}/status`, '');
    const all = {
      'Dir::State': at('state'),
      'Dir::State::status': at('status'),
      'Dir::Cache': at('cache'),
      'Dir::Etc::sourcelist': at('etc/sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::Etc::main': '-',
      'Dir::Etc::parts': '-',
      'APT::Sandbox::User': 'root',
      'APT::Architecture': 'amd64',
      'Acquire::Languages': 'none',
      'Acquire::http::Proxy': proxy,
      ...settings,
    };
    const options = Object.entries(all).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
    await succeed('apt-get', [...options, '-q', 'update'], { cwd: at('got') });
    await succeed('apt-get', [...options, '-q', 'download', ...packages], { cwd: at('got') });
    return filesOf(at('got'));
  }
}

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
