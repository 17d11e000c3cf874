import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { formatProxyUri } from '../../config/origin-uri.js';
import { loadConfig } from '../../config/load.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly ports: readonly string[];
  readonly stop_grace_period: string;
  readonly volumes: readonly string[];
}

const mounted = '/etc/willis/proxy.config.yaml';

describe('replicated.compose.yaml', () => {
  const { services } = parse(read('deploy/replicated.compose.yaml'), { merge: true }) as {
    readonly services: Readonly<Record<'primary' | 'replica', Service>>;
  };
  /** What is mounted there, as the host has it. */
  const sourceOf = ({ volumes }: Service, place: string): string | undefined =>
    volumes.find((volume) => volume.split(':')[1] === place)?.split(':')[0];
  const configOf = (service: Service) =>
    loadConfig(read(join('deploy', sourceOf(service, mounted) ?? '')), mounted, {}, { hostName: 'container' });

  it('mounts configurations that stand, and every file that they name', () => {
    for (const service of Object.values(services)) {
      assert.equal(existsSync(resolve(root, 'deploy', service.build.context, service.build.dockerfile)), true);
      const { primary, replicated, node } = configOf(service);
      const [published] = primary.namespaces;
      const token = published?.replicas.tokenFile ?? replicated.namespaces[0]?.tokenFile ?? '';
      for (const path of [token, node.data, ...(published ? [published.directory] : [])]) {
        assert.notEqual(sourceOf(service, path), undefined, `${path} is not mounted`);
      }
    }
  });

  it('names each node as the network of the containers does, and leads the replica to the primary', () => {
    for (const [name, service] of Object.entries(services)) {
      const { node, listen } = configOf(service);
      assert.equal(node.url && formatProxyUri(node.url), `http://${name}:${listen.site?.address.port}`);
      assert.deepEqual(
        service.ports.map((port) => port.split(':').at(-1)),
        [String(listen.site?.address.port)],
      );
    }
    const [held] = configOf(services.replica).replicated.namespaces;
    const [published] = configOf(services.primary).primary.namespaces;
    assert.equal(held?.url, published?.url);
    assert.equal(held && `${formatProxyUri(held.from)}/`, published?.url);
  });

  it('waits longer than requests under way may take', () => {
    for (const service of Object.values(services)) {
      const grace = Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1]) * 1000;
      assert.ok(grace > configOf(service).limits.drainTimeout, String(grace));
    }
  });
});
