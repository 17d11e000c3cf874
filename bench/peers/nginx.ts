import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedVersion } from './installed.js';
import { diskMebibytes, memoryMebibytes, type Peer } from './peer.js';

/**
 * One worker; proxy_cache on tmpfs, or on the disk, with nothing in memory but what the kernel keeps there. nginx never stores what has `max-age=0`; for the row of revalidations it takes the
 * origin's `X-Accel-Expires: @1` instead, which stores the response as expired since 1970.
 */
export const nginx: Peer = {
  name: 'nginx',
  comesWith: 'Debian package nginx-light',
  storages: ['memory', 'disk'],
  losesOnDisk: 0,
  tunnels: false,

  version: () => installedVersion('nginx', ['-v']),

  prepare({ directory, storage, port, origin }) {
    const mebibytes = storage === 'memory' ? memoryMebibytes(storage) : diskMebibytes;
    const store = join(directory, 'store');
    mkdirSync(store);
    const file = join(directory, 'nginx.conf');
    writeFileSync(
      file,
      `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ${directory}/nginx.pid; error_log ${directory}/error.log warn;
events { worker_connections 10000; }
http {
  access_log off; default_type text/plain; sendfile on;
  keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_temp_path ${directory}/body; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi; proxy_temp_path ${directory}/proxy;
  proxy_cache_path ${store} levels=1:2 keys_zone=bench:64m max_size=${mebibytes}m inactive=1h use_temp_path=off;
  upstream origin { server ${origin.host}:${origin.port}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_cache bench; proxy_cache_revalidate on;
    location / { proxy_pass http://origin; }
    location /stale/ { proxy_ignore_headers Cache-Control; proxy_pass http://origin; }
  }
}
`,
    );
    return { file: 'nginx', args: ['-p', directory, '-c', file, '-e', join(directory, 'error.log')], store };
  },
};
