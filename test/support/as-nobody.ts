import { execFileSync } from 'node:child_process';

const nobody = 65_534;

/** Does work with the rights of nobody, to whom a directory is given for it; as root one could read everything. */
export async function asNobody<T>(directory: string, work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  execFileSync('chown', ['-R', String(nobody), directory]);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
