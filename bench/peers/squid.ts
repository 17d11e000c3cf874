import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion } from './installed.js';
import { storeMebibytes, type Peer } from './peer.js';

/** Accelerator mode and, on another port, a forward proxy; one process, memory cache only. */
export const squid: Peer = {
  name: 'squid',
  comesWith: 'Debian package squid',
  tunnels: true,

  version: () => installedVersion('squid', ['-v']),

  prepare({ directory, port, tunnelPort, origin }) {
    const file = join(directory, 'squid.conf');
    writeFileSync(
      file,
      `http_port 127.0.0.1:${port} accel defaultsite=127.0.0.1 no-vhost
http_port 127.0.0.1:${tunnelPort}
acl tunnels method CONNECT
always_direct allow tunnels
cache_peer ${origin.host} parent ${origin.port} 0 no-query no-digest no-netdb-exchange originserver name=origin
http_access allow all
cache_mem ${storeMebibytes} MB
maximum_object_size_in_memory 4 MB
max_filedescriptors 16384
memory_cache_mode always
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
`,
    );
    return { file: 'squid', args: ['-N', '-n', `bench${port}`, '-f', file], store: null };
  },
};
