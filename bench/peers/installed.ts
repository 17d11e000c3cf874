import { spawnSync } from 'node:child_process';

/** The first version number that a program prints when asked; null when it is not installed. */
export function installedVersion(program: string, args: readonly string[]): string | null {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: withSystemPrograms() });
  if (error !== undefined) return null;
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}

/** Debian keeps servers where only root looks for programs. */
export const withSystemPrograms = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
});
