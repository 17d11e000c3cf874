import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diskMebibytes, memoryMebibytes, type Peer } from './peer.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'dist/proxy/main.js');

/** The built program: the reverse side and, for tunnels, the forward proxy. */
export const willis: Peer = {
  name: 'willis',
  comesWith: 'npm run build',
  storages: ['memory', 'disk'],
  losesOnDisk: 0,
  tunnels: true,

  version() {
    if (!existsSync(program)) return null;
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `${version} on Node.js ${process.versions.node}`;
  },

  prepare({ directory, storage, port, tunnelPort, origin }) {
    const disk = storage === 'disk' ? `${diskMebibytes}MiB` : 'null';
    const file = join(directory, 'willis.yaml');
    writeFileSync(
      file,
      `roles: [clientSide]
node: { name: bench, data: ${join(directory, 'data')} }
listen: { proxy: '127.0.0.1:${tunnelPort}', site: '127.0.0.1:${port}', admin: null }
access: { connectPorts: [${origin.port}], destinations: { allow: ['${origin.host}'] } }
limits: { connections: 16384, perClientConnections: 16384 }
sites:
  - host: '*'
    origin: http://${origin.host}:${origin.port}/
cache: { memory: ${memoryMebibytes(storage)}MiB, disk: ${disk} }
log: { level: warn, access: { format: 'off' } }
`,
    );
    return { file: process.execPath, args: [...flags(), program, 'run', '--config', file], store: null };
  },
};

/** What the program wants Node.js to be told, by its first line. */
const flags = (): string[] => /^#!.* node (.*)$/m.exec(readFileSync(program, 'utf8'))?.[1]?.split(' ') ?? [];
