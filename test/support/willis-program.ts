import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** How `willis` is started, up to its arguments: as `npm run build` has built it, or, if something was changed since, from the sources. */
export const willisProgram: readonly string[] = isBuilt()
  ? [process.execPath, join(root, 'dist/proxy/main.js')]
  : [process.execPath, `--import=${createRequire(import.meta.url).resolve('tsx')}`, join(root, 'proxy/main.ts')];

export interface EndedWillis {
  /** -1 if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `willis` with those words in that directory, to its end. */
export function runWillis(directory: string, words: readonly string[]): Promise<EndedWillis> {
  const [program = '', ...args] = [...willisProgram, ...words];
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd: directory }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function isBuilt(): boolean {
  const built = statSync(join(root, 'dist/proxy/main.js'), { throwIfNoEntry: false });
  if (built === undefined) return false;
  const rooms = ['config', 'proxy', 'wlis', 'replication'].map((room) => join(root, room));
  return rooms.every((room) => !existsSync(room) || newest(room) < built.mtimeMs);
}

/** When a source below that directory was changed the last time. */
function newest(directory: string): number {
  let time = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return time;
}
