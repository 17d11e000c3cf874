import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion, withSystemPrograms } from './installed.js';
import { diskMebibytes, memoryMebibytes, type Peer, type PeerName, type Place, type Storage } from './peer.js';

/** One process without workers, accelerator and, on another port, forward proxy. On disk: ufs, in its own thread. */
export const squid: Peer = squidWith('squid', 'ufs', ['memory', 'disk']);

/** The same files as ufs, read and written by threads. */
export const squidAufs: Peer = squidWith('squid-aufs', 'aufs', ['disk']);

/** One file with slots; two responses whose keys fall on the same place push each other out. */
export const squidRock: Peer = squidWith('squid-rock', 'rock', ['disk']);

function squidWith(name: PeerName, kind: DiskKind, storages: readonly Storage[]): Peer {
  return {
    name,
    comesWith: 'Debian package squid',
    storages,
    losesOnDisk: kind === 'rock' ? 0.25 : 0,
    tunnels: true,
    version: () => installedVersion('squid', ['-v']),

    prepare(place) {
      const { directory, storage, port } = place;
      const file = join(directory, 'squid.conf');
      const store = storage === 'disk' ? join(directory, 'store') : null;
      writeFileSync(file, configuration(place, store === null ? '' : directories[kind](store)));
      const args = ['-N', '-n', `bench${port}`, '-f', file];
      if (store !== null) makeStore(args);
      return { file: 'squid', args, store };
    },
  };
}

type DiskKind = 'ufs' | 'aufs' | 'rock';

const directories: Readonly<Record<DiskKind, (store: string) => string>> = {
  ufs: (store) => `cache_dir ufs ${store} ${diskMebibytes} 16 256`,
  aufs: (store) => `cache_dir aufs ${store} ${diskMebibytes} 16 256`,
  rock: (store) => `cache_dir rock ${store} ${diskMebibytes}`,
};

function makeStore(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('squid', [...args, '-z'], {
    encoding: 'utf8',
    env: withSystemPrograms(),
  });
  if (status !== 0) throw new Error(`squid -z has made no store: ${stdout}${stderr}`);
}

const configuration = (
  { directory, storage, port, tunnelPort, origin }: Place,
  store: string,
): string => `http_port 127.0.0.1:${port} accel defaultsite=127.0.0.1 no-vhost
http_port 127.0.0.1:${tunnelPort}
acl tunnels method CONNECT
always_direct allow tunnels
cache_peer ${origin.host} parent ${origin.port} 0 no-query no-digest no-netdb-exchange originserver name=origin
http_access allow all
cache_mem ${memoryMebibytes(storage)} MB
maximum_object_size_in_memory 4 MB
max_filedescriptors 16384
memory_cache_mode always
${store}
access_log none
cache_log ${directory}/cache.log
cache_store_log none
cache_effective_user proxy
pid_filename ${directory}/squid.pid
coredump_dir ${directory}
visible_hostname bench
unique_hostname bench
pinger_enable off
icp_port 0
shutdown_lifetime 0 seconds
`;
