import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { storeMebibytes, type Peer } from './peer.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'dist/proxy/main.js');

/** The built program, reverse side only. */
export const willis: Peer = {
  name: 'willis',

  version() {
    if (!existsSync(program)) return null;
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `${version} on Node.js ${process.versions.node}`;
  },

  prepare({ directory, port, origin }) {
    const file = join(directory, 'willis.yaml');
    writeFileSync(
      file,
      `roles: []
node: { name: bench }
listen: { proxy: null, site: '127.0.0.1:${port}', admin: null }
sites:
  - host: '*'
    origin: http://${origin.host}:${origin.port}/
cache: { memory: ${storeMebibytes}MiB }
log: { level: warn, access: { format: 'off' } }
`,
    );
    return { file: process.execPath, args: [program, 'run', '--config', file], store: null };
  },
};
