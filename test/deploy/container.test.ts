import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../config/load.js';
import type { Environment } from '../../config/environment.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Instructions with their arguments, one for each, in order. */
function instructions(): { readonly name: string; readonly argument: string }[] {
  return read('deploy/Dockerfile')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', argument = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, argument };
    });
}

const argumentsOf = (name: string): string[] =>
  instructions().flatMap((one) => (one.name === name ? [one.argument] : []));

/** What is copied out of the tree, and not out of an earlier stage. */
const copied = (): string[] =>
  argumentsOf('COPY')
    .filter((argument) => !argument.startsWith('--from='))
    .flatMap((argument) => argument.split(' ').slice(0, -1));

const listOf = (name: string): string[] => JSON.parse(argumentsOf(name).at(-1) ?? '[]') as string[];

interface Compose {
  readonly services: Readonly<
    Record<
      'willis' | 'origin',
      {
        readonly build?: { readonly context: string; readonly dockerfile: string };
        readonly environment?: Readonly<Record<string, string>>;
        readonly ports?: readonly string[];
        readonly stop_grace_period?: string;
      }
    >
  >;
}

const configuration = (environment: Environment = {}) =>
  loadConfig(read('deploy/container.yaml'), 'container.yaml', environment, { hostName: 'container' });

describe('the container', () => {
  it('copies what exists and what .dockerignore lets through, which is all that it lets through', () => {
    const missing = copied().filter((path) => !existsSync(join(root, path)));
    assert.deepEqual(missing, []);
    const lines = read('.dockerignore').trim().split('\n');
    const kept = lines.flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    assert.equal(lines.includes('*'), true);
    assert.deepEqual(new Set(copied()), new Set(kept));
  });

  it('compiles every directory that the build wants', () => {
    const { include } = JSON.parse(read('tsconfig.build.json')) as { include: string[] };
    const wanted = include.filter((name) => existsSync(join(root, name)));
    assert.deepEqual(
      wanted.filter((name) => !copied().includes(name)),
      [],
    );
  });

  it('starts the program by the name that the package has for it, and as its first line says', () => {
    const [, flags = ''] = /^#!\S+ -S node (.*)$/m.exec(read('proxy/main.ts')) ?? [];
    const { bin } = JSON.parse(read('package.json')) as { bin: { willis: string } };
    assert.deepEqual(listOf('ENTRYPOINT'), ['node', ...flags.split(' '), resolve('/opt/willis', bin.willis)]);
    assert.deepEqual(listOf('CMD').slice(0, 2), ['run', '--config']);
  });

  it('reads the configuration that it comes with', () => {
    const [source = '', target] = argumentsOf('COPY')
      .filter((argument) => argument.endsWith('.yaml') && argument.includes('/etc/'))
      .flatMap((argument) => argument.split(' '));
    assert.equal(existsSync(join(root, source)), true);
    assert.equal(listOf('CMD').at(-1), target);
  });

  it('is not root when it runs, and stops by the signal that drains', () => {
    const stages = instructions().flatMap(({ name }, index) => (name === 'FROM' ? [index] : []));
    const last = instructions().slice(stages.at(-1));
    const user = last.findLast(({ name }) => name === 'USER')?.argument ?? 'root';
    assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
    assert.deepEqual(argumentsOf('STOPSIGNAL'), ['SIGTERM']);
  });

  it('installs what the lock file says, runs no scripts of packages, and ships no tools for development', () => {
    const installs = argumentsOf('RUN').filter((command) => command.includes('npm ci'));
    assert.deepEqual(
      installs.map((command) => command.includes('--ignore-scripts')),
      [true, true],
    );
    assert.match(installs.at(-1) ?? '', /--omit=dev/);
  });
});

describe('the health check of the container', () => {
  const check = (): { readonly port: number; run(port: number): Promise<number | null> } => {
    const [, list = '[]'] = /CMD (\[.*\])$/.exec(argumentsOf('HEALTHCHECK')[0] ?? '') ?? [];
    const [, flag = '', script = ''] = JSON.parse(list) as string[];
    const [, port = ''] = /127\.0\.0\.1:(\d+)/.exec(script) ?? [];
    const run = async (other: number): Promise<number | null> => {
      const child = spawn(process.execPath, [flag, script.replace(port, String(other))], { stdio: 'ignore' });
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    };
    return { port: Number(port), run };
  };

  it('asks the operator side of the configuration that the container comes with', () => {
    assert.equal(configuration().listen.admin?.address.port, check().port);
    assert.equal(configuration().listen.admin?.address.host, '127.0.0.1');
  });

  it('is well with 200, and not with anything else or with nobody there', async () => {
    const codes: (number | null)[] = [];
    const asked: string[] = [];
    for (const status of [200, 503]) {
      const server = createServer(({ url = '' }, response) => {
        asked.push(url);
        response.writeHead(status).end();
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      codes.push(await check().run(port));
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      if (status === 503) codes.push(await check().run(port));
    }
    assert.deepEqual(codes, [0, 1, 1]);
    assert.deepEqual(asked, ['/healthz', '/healthz']);
  });
});

describe('the configuration of the container', () => {
  it('stands without any variable of the environment, and opens only the public side to others', () => {
    const { roles, listen, sites } = configuration();
    assert.deepEqual(roles, []);
    assert.equal(listen.proxy, null);
    assert.equal(listen.site?.address.port, 8080);
    assert.equal(sites.length, 1);
  });

  it('is steered by variables of the environment', () => {
    const environment = { WILLIS_ORIGIN: 'http://192.0.2.1:81/', WILLIS_NAME: 'edge-1', WILLIS_MEMORY: '64MiB' };
    const { node, sites, cache } = configuration({ ...environment, WILLIS_LOG_LEVEL: 'warn' });
    assert.equal(node.name, 'edge-1');
    assert.equal(cache.memory, 64 * 1024 * 1024);
    assert.equal(sites[0]?.origin.port, 81);
  });

  it('listens on the ports that the image says', () => {
    const exposed = argumentsOf('EXPOSE')[0]?.split(' ') ?? [];
    assert.equal(exposed.includes(String(configuration().listen.site?.address.port)), true);
  });
});

describe('compose.yaml', () => {
  const { willis } = (parse(read('deploy/compose.yaml')) as Compose).services;

  it('builds from the top of the tree by a Dockerfile that exists', () => {
    const { context = '', dockerfile = '' } = willis.build ?? {};
    const top = resolve(root, 'deploy', context);
    assert.equal(top, dirname(join(root, 'package.json')));
    assert.equal(existsSync(join(top, dockerfile)), true);
  });

  it('sets variables that the configuration reads, and publishes the port of the public side', () => {
    const environment = willis.environment ?? {};
    for (const name of Object.keys(environment))
      assert.ok(read('deploy/container.yaml').includes(`\${${name}:-`), name);
    assert.equal(configuration(environment).sites[0]?.origin.host, 'origin');
    const inside = willis.ports?.map((port) => port.split(':').at(-1));
    assert.deepEqual(inside, [String(configuration().listen.site?.address.port)]);
  });

  it('waits longer than requests under way may take', () => {
    const grace = Number(/^(\d+)s$/.exec(willis.stop_grace_period ?? '')?.[1]) * 1000;
    assert.ok(grace > configuration().limits.drainTimeout, String(grace));
  });
});
