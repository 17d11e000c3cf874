import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OriginHandler } from '../support/scripted-origin.js';
import type { TempDir } from '../support/temp-dir.js';
import { succeed } from './programs.js';

const packages = ['plain', '@scope/named'];

/** A registry with two packages, which answers with the fields of the public one. */
export async function registryOf(directory: TempDir): Promise<OriginHandler> {
  const tarballs = new Map<string, Buffer>();
  for (const name of packages) tarballs.set(name, await pack(directory, name));
  return (request, response) => {
    const [name = '', tarball] = decodeURIComponent(request.url.slice(1)).split('/-/');
    const content = tarballs.get(name);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const dist = {
      tarball: `http://${request.headers.host ?? ''}/${name}/-/1.0.0.tgz`,
      integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
    };
    const version = { name, version: '1.0.0', main: 'index.js', dist };
    const metadata = JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } });
    const body = tarball === undefined ? Buffer.from(metadata) : content;
    response.setHeader('ETag', `"${createHash('md5').update(body).digest('hex')}"`);
    response.setHeader(
      'Cache-Control',
      tarball === undefined ? 'public, max-age=300' : 'public, immutable, max-age=31557600',
    );
    response.setHeader('Content-Type', tarball === undefined ? 'application/json' : 'application/octet-stream');
    if (tarball === undefined) response.setHeader('Vary', 'accept-encoding, accept');
    response.end(body);
  };
}

/** A project that needs the packages of the registry. */
export class NpmProject {
  /** What its modules say when all of them are installed. */
  readonly expected: readonly string[] = packages.map((name) => `'${name}';\n`);

  private constructor(
    private readonly directory: TempDir,
    private readonly path: string,
  ) {}

  static async create(directory: TempDir, name: string): Promise<NpmProject> {
    const dependencies = Object.fromEntries(packages.map((one) => [one, '1.0.0']));
    await directory.write(`${name}/package.json`, JSON.stringify({ name, version: '1.0.0', dependencies }));
    return new NpmProject(directory, join(directory.path, name));
  }

  /** Makes a lock file with addresses, without which npm loses the prefix of the registry. @param cache where npm has its own copies */
  async lock(registry: string, cache: string): Promise<void> {
    await this.#npm(registry, cache, 'install', '--package-lock-only', '--omit-lockfile-registry-resolved=false');
  }

  /** Installs what the lock file says, and gives what the modules say. @param cache where npm has copies of its own */
  async install(registry: string, cache: string): Promise<string[]> {
    await this.#npm(registry, cache, 'ci', '--replace-registry-host=always');
    return this.#modules();
  }

  #modules(): Promise<string[]> {
    return Promise.all(packages.map((name) => readFile(join(this.path, 'node_modules', name, 'index.js'), 'utf8')));
  }

  #npm(registry: string, cache: string, ...args: string[]): Promise<string> {
    const own = [`--cache=${join(this.directory.path, cache)}`, '--no-audit', '--no-fund', '--no-update-notifier'];
    const env = { npm_config_registry: registry, npm_config_userconfig: '/dev/null' };
    return succeed('npm', [...args, ...own], { cwd: this.path, env });
  }
}

async function pack(directory: TempDir, name: string): Promise<Buffer> {
  const at = `packages/${name}`;
  await directory.write(`${at}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
  await directory.write(`${at}/index.js`, `'${name}';\n`);
  const cwd = join(directory.path, at);
  const printed = await succeed('npm', ['pack', '--json', `--cache=${join(directory.path, 'cache-pack')}`], { cwd });
  const file = /"filename": "([^"]+)"/.exec(printed)?.[1] ?? '';
  return readFile(join(cwd, file));
}
