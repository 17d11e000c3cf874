import { machineFileSystem, type FileSystem } from '../../../proxy/cache/disk/file-system.js';

type Operation = 'open' | 'read' | 'write' | 'close' | 'rename' | 'unlink' | 'writeText';

/** The machine's file system, as long as the test lets it work. */
export class FaultyFileSystem implements FileSystem {
  readonly #faults = new Map<Operation, { code: string; left: number }>();
  /** Called before each operation. */
  onUse: (operation: Operation) => void = () => undefined;

  /** From now on, so many times, the operation fails so. */
  fail(operation: Operation, code: string, times = Infinity): void {
    this.#faults.set(operation, { code, left: times });
  }

  work(): void {
    this.#faults.clear();
  }

  readonly open: FileSystem['open'] = (...all) => this.#do('open', () => machineFileSystem.open(...all));
  readonly read: FileSystem['read'] = (...all) => this.#do('read', () => machineFileSystem.read(...all));
  readonly write: FileSystem['write'] = (...all) => this.#do('write', () => machineFileSystem.write(...all));
  readonly close: FileSystem['close'] = (...all) => this.#do('close', () => machineFileSystem.close(...all));
  readonly rename: FileSystem['rename'] = (...all) => this.#do('rename', () => machineFileSystem.rename(...all));
  readonly unlink: FileSystem['unlink'] = (...all) => this.#do('unlink', () => machineFileSystem.unlink(...all));
  readonly writeText: FileSystem['writeText'] = (...all) =>
    this.#do('writeText', () => machineFileSystem.writeText(...all));

  readonly openNow: FileSystem['openNow'] = (path) => this.#doNow('open', () => machineFileSystem.openNow(path));
  readonly readNow: FileSystem['readNow'] = (...all) => this.#doNow('read', () => machineFileSystem.readNow(...all));
  readonly closeNow: FileSystem['closeNow'] = (file) =>
    this.#doNow('close', () => {
      machineFileSystem.closeNow(file);
    });

  readonly fetched: FileSystem['fetched'] = () => machineFileSystem.fetched();
  readonly makeDirectory: FileSystem['makeDirectory'] = (path: string) => machineFileSystem.makeDirectory(path);
  readonly removeDirectory: FileSystem['removeDirectory'] = (path: string) => machineFileSystem.removeDirectory(path);
  readonly names: FileSystem['names'] = (directory) => machineFileSystem.names(directory);
  readonly size: FileSystem['size'] = (path: string) => machineFileSystem.size(path);
  readonly free: FileSystem['free'] = (path: string) => machineFileSystem.free(path);
  readonly readText: FileSystem['readText'] = (path: string) => machineFileSystem.readText(path);

  async #do<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    return this.#doNow(operation, work);
  }

  #doNow<T>(operation: Operation, work: () => T): T {
    this.onUse(operation);
    const fault = this.#faults.get(operation);
    if (fault === undefined || fault.left <= 0) return work();
    fault.left--;
    throw Object.assign(new Error(`${fault.code}: it fails, ${operation}`), { code: fault.code });
  }
}
