import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Nobody: the super-user would be refused nothing. Undefined where the harness is an ordinary user itself. */
export const ownerOfNodes: number | undefined = process.getuid?.() === 0 ? 65534 : undefined;

/** A directory for the data of nodes, of which one can make what becomes of directories. */
export class Place {
  readonly path: string;
  readonly #isSmall: boolean;

  /** @param small on a disk of its own, of 16 MiB; only the super-user can mount one */
  constructor(path: string, small: boolean) {
    this.path = path;
    this.#isSmall = small;
    mkdirSync(path, { recursive: true });
    if (small) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'pipe' });
    if (ownerOfNodes !== undefined) chownSync(path, ownerOfNodes, ownerOfNodes);
  }

  get store(): string {
    return join(this.path, 'store');
  }

  /** Whether there is a store that was opened. */
  get isBegun(): boolean {
    return existsSync(join(this.store, 'index', 'CURRENT'));
  }

  /** What it takes on disk, as `du` counts; what is deleted meanwhile is not counted. */
  taken(): number {
    return takenBy(this.store);
  }

  /** No file can be made, deleted or renamed in any of its directories. */
  forbidChanges(): void {
    for (const path of directoriesUnder(this.path)) chmodSync(path, 0o555);
  }

  permitChanges(): void {
    for (const path of directoriesUnder(this.path)) chmodSync(path, 0o755);
  }

  /** Somebody else takes all but so many bytes of the disk. */
  fill(left: number): void {
    const path = join(this.path, 'ballast');
    rmSync(path, { force: true });
    const free = Number(execFileSync('df', ['--output=avail', '-B1', this.path]).toString().split('\n')[1]);
    try {
      writeFileSync(path, Buffer.alloc(Math.max(0, free - left)));
    } catch (error) {
      // the node has taken some of it meanwhile; now there is nothing left
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  clear(): void {
    rmSync(join(this.path, 'ballast'), { force: true });
  }

  /** Idempotent. */
  remove(): void {
    if (!existsSync(this.path)) return;
    if (this.#isSmall) execFileSync('umount', [this.path]);
    else this.permitChanges();
    rmSync(this.path, { recursive: true, force: true });
  }
}

function takenBy(path: string): number {
  let total = 0;
  for (const entry of entriesOf(path)) {
    const one = join(path, entry.name);
    total += entry.isDirectory() ? takenBy(one) : (statSync(one, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  }
  return total;
}

function directoriesUnder(path: string): string[] {
  const below = entriesOf(path).filter((entry) => entry.isDirectory());
  return [path, ...below.flatMap(({ name }) => directoriesUnder(join(path, name)))];
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    // it is removed just now
    return [];
  }
}
