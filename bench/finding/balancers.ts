import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A reverse proxy that spreads requests over servers with the same content, as its makers advise for failing ones. */
export interface Balancer {
  readonly name: 'nginx' | 'haproxy';
  /** How its version is asked for. */
  readonly version: readonly [program: string, flag: string];
  readonly comesWith: string;
  /** Writes its configuration into the place, and tells what to start. */
  prepare(place: BalancerPlace): { readonly file: string; readonly args: readonly string[] };
}

export interface BalancerPlace {
  readonly directory: string;
  readonly port: number;
  /** `127.0.0.1:1234` */
  readonly servers: readonly string[];
  /** What requests have as their host. */
  readonly host: string;
  /** How long a server may be silent, in milliseconds. */
  readonly patience: number;
  /** Path of a short document, for checks of health. */
  readonly probe: string;
}

const nginx: Balancer = {
  name: 'nginx',
  version: ['nginx', '-v'],
  comesWith: 'Debian package nginx-light',
  prepare({ directory, port, servers, host, patience }) {
    const file = join(directory, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    writeFileSync(
      file,
      `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log ${directory}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(' ')}
  upstream holders {
    ${servers.map((server) => `server ${server} max_fails=1 fail_timeout=1s;`).join(' ')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://holders;
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host ${host};
      proxy_max_temp_file_size 0;
      proxy_connect_timeout ${patience}ms; proxy_read_timeout ${patience}ms; proxy_send_timeout ${patience}ms;
      proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504;
      proxy_next_upstream_tries ${servers.length};
    }
  }
}
`,
    );
    return { file: 'nginx', args: ['-p', directory, '-c', file, '-e', join(directory, 'error.log')] };
  },
};

const haproxy: Balancer = {
  name: 'haproxy',
  version: ['haproxy', '-v'],
  comesWith: 'Debian package haproxy',
  prepare({ directory, port, servers, host, patience, probe }) {
    const file = join(directory, 'haproxy.cfg');
    const checks = 'check inter 500ms fall 2 rise 1 observe layer7 error-limit 3 on-error mark-down';
    writeFileSync(
      file,
      `global
  maxconn 4096
defaults
  mode http
  timeout connect ${patience}ms
  timeout server ${patience}ms
  timeout client 60s
  retries ${servers.length}
  option redispatch 1
  retry-on all-retryable-errors
frontend site
  bind 127.0.0.1:${port}
  default_backend holders
backend holders
  balance roundrobin
  option httpchk
  http-check send meth GET uri ${probe} ver HTTP/1.1 hdr Host ${host}
  ${servers.map((server, n) => `server holder${n} ${server} ${checks}`).join('\n  ')}
`,
    );
    return { file: 'haproxy', args: ['-db', '-q', '-f', file] };
  },
};

export const balancers: readonly Balancer[] = [nginx, haproxy];
