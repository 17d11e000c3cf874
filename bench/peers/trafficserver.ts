import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion } from './installed.js';
import { diskMebibytes, memoryMebibytes, type Peer, type Place, type Storage } from './peer.js';

/**
 * One event thread; a RAM cache over a storage file, which lies on tmpfs or on the disk. Its directory is sized for small documents: the
 * default, 8 kB on average, would lose some of 50,000 in so small a file.
 */
export const trafficserver: Peer = {
  name: 'trafficserver',
  comesWith: 'Debian package trafficserver',
  storages: ['memory', 'disk'],
  losesOnDisk: 0.01,
  tunnels: true,

  version: () => installedVersion('traffic_server', ['-V']),

  prepare(place) {
    const { directory, storage, port, origin } = place;
    const store = join(directory, 'store');
    for (const name of ['store', 'etc', 'run']) mkdirSync(join(directory, name));
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
    write('runroot.yaml', layout(directory));
    write('etc/records.config', records(place));
    write('etc/remap.config', `map http://127.0.0.1:${port}/ http://${origin.host}:${origin.port}/\n`);
    write('etc/storage.config', `${store} ${storageMebibytes(storage)}M\n`);
    write('etc/ip_allow.yaml', 'ip_allow:\n  - { apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL }\n');
    return { file: 'traffic_server', args: [`--run-root=${join(directory, 'runroot.yaml')}`], store };
  },
};

/** Where it finds what; without such a file it uses the directories of the system. */
const layout = (directory: string): string => `prefix: ${directory}
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/bin
sysconfdir: ${directory}/etc
datadir: ${directory}/run
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: ${directory}/run
runtimedir: ${directory}/run
logdir: ${directory}/run
cachedir: ${directory}/store
`;

const storageMebibytes = (storage: Storage): number =>
  storage === 'memory' ? memoryMebibytes(storage) : diskMebibytes;

const records = ({ storage, port, tunnelPort, origin }: Place): string => `
CONFIG proxy.config.http.server_ports STRING ${port}:ip-in=127.0.0.1 ${tunnelPort}:ip-in=127.0.0.1
CONFIG proxy.config.http.connect_ports STRING ${origin.port}
CONFIG proxy.config.url_remap.remap_required INT 0
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.net.connections_throttle INT 16384
CONFIG proxy.config.cache.ram_cache.size INT ${memoryMebibytes(storage) * 1024 * 1024}
CONFIG proxy.config.cache.ram_cache.algorithm INT 1
CONFIG proxy.config.cache.min_average_object_size INT 1024
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.crash_log_helper STRING NULL
`;
