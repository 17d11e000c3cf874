import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion } from './installed.js';
import { memoryMebibytes, type Peer } from './peer.js';

/**
 * One thread pool, no larger than connections and fetches need. Varnish keeps what has `max-age=0` for conditional
 * fetches when told so by `keep`, but passes over what has no lifetime at all: it gets the shortest that VCL can say.
 */
export const varnish: Peer = {
  name: 'varnish',
  comesWith: 'Debian package varnish',
  storages: ['memory'],
  losesOnDisk: 0,
  tunnels: false,

  version: () => installedVersion('varnishd', ['-V']),

  prepare({ directory, storage, port, origin }) {
    const file = join(directory, 'bench.vcl');
    writeFileSync(
      file,
      `vcl 4.1;
backend origin { .host = "${origin.host}"; .port = "${origin.port}"; }
sub vcl_backend_response {
  if (bereq.url ~ "^/stale/") {
    set beresp.ttl = 1ms;
    set beresp.grace = 0s;
    set beresp.keep = 1h;
    return (deliver);
  }
}
`,
    );
    const parameters = ['thread_pools=1', 'thread_pool_min=10', 'thread_pool_max=1100', 'timeout_idle=300'];
    const args = [
      ...['-F', '-n', join(directory, 'varnish'), '-a', `127.0.0.1:${port}`, '-f', file, '-T', 'none', '-j', 'none'],
      ...['-s', `malloc,${memoryMebibytes(storage)}m`],
      ...parameters.flatMap((parameter) => ['-p', parameter]),
    ];
    return { file: 'varnishd', args, store: null };
  },
};
