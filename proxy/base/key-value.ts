import { Level } from 'level';
import type { ClassicLevel } from 'classic-level';
import { bytes, type Bytes } from '../../config/units.js';

/** What the package is in Node.js, whose types it does not give. */
const DiskLevel = Level as unknown as typeof ClassicLevel;

/** A change of one record. */
export type KeyValueChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: string };

/** Which records: from ≤ key < before, in the order of the bytes of the keys. */
export interface KeyRange {
  readonly from: string;
  readonly before: string;
  /** Most records to give. */
  readonly most?: number;
}

/**
 * Records under keys, sorted, on disk. Changes survive the end of this process however it comes; with `durable` also that
 * of the machine. Every method but `close` rejects with a KeyValueError.
 */
export interface KeyValue {
  get(key: string): Promise<Buffer | undefined>;
  /** The same at once, while everybody waits. @throws KeyValueError */
  getNow(key: string): Buffer | undefined;
  /** All of the changes or, after a crash, none of them. */
  change(changes: readonly KeyValueChange[], options?: { readonly durable: boolean }): Promise<void>;
  /** Records of a range, as of now. */
  entries(range: KeyRange): AsyncIterable<readonly [key: string, value: Buffer]>;
  keys(range: KeyRange): AsyncIterable<string>;
  /** Gives back the room of what was deleted. Takes long, and may be used meanwhile. */
  compact(): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** `in-use`: another process has it open; `damaged`: it cannot be trusted as it is; `unwell`: what else disks do. */
export type KeyValueFault = 'in-use' | 'damaged' | 'unwell';

export class KeyValueError extends Error {
  override readonly name = 'KeyValueError';

  constructor(
    readonly fault: KeyValueFault,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/** Whether something was read that is not what was written. */
export const isDamage = (error: unknown): boolean => error instanceof KeyValueError && error.fault === 'damaged';

export interface KeyValueOptions {
  /** Memory for what was read. */
  readonly cache?: Bytes;
  /** Memory for what is not yet sorted, twice. */
  readonly writeBuffer?: Bytes;
}

/** Opens what is in a directory, which is made if it is not there. @throws KeyValueError */
export async function openKeyValue(directory: string, options: KeyValueOptions = {}): Promise<KeyValue> {
  const level = new DiskLevel<string, Buffer>(directory, { valueEncoding: 'buffer' });
  try {
    await level.open({
      cacheSize: options.cache ?? bytes(8 * 1024 * 1024),
      writeBufferSize: options.writeBuffer ?? bytes(4 * 1024 * 1024),
      maxFileSize: 8 * 1024 * 1024,
    });
  } catch (error) {
    throw keyValueError(error);
  }
  return new LevelKeyValue(level);
}

/** Saves what can be saved of a damaged one. What it cannot read is lost. @throws KeyValueError */
export async function repairKeyValue(directory: string): Promise<void> {
  try {
    await DiskLevel.repair(directory);
  } catch (error) {
    throw keyValueError(error);
  }
}

class LevelKeyValue implements KeyValue {
  readonly #level: ClassicLevel<string, Buffer>;

  constructor(level: ClassicLevel<string, Buffer>) {
    this.#level = level;
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#level.get(key).catch(fail);
  }

  getNow(key: string): Buffer | undefined {
    try {
      return this.#level.getSync(key);
    } catch (error) {
      fail(error);
    }
  }

  change(changes: readonly KeyValueChange[], { durable } = { durable: false }): Promise<void> {
    return this.#level.batch([...changes], { sync: durable }).catch(fail);
  }

  async *entries(range: KeyRange): AsyncGenerator<readonly [key: string, value: Buffer]> {
    try {
      for await (const entry of this.#level.iterator(limits(range))) yield entry;
    } catch (error) {
      fail(error);
    }
  }

  async *keys(range: KeyRange): AsyncGenerator<string> {
    try {
      for await (const key of this.#level.keys(limits(range))) yield key;
    } catch (error) {
      fail(error);
    }
  }

  compact(): Promise<void> {
    return this.#level.compactRange('', '\uffff').catch(fail);
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}

const limits = ({ from, before, most }: KeyRange): { gte: string; lt: string; limit: number } => ({
  gte: from,
  lt: before,
  limit: most ?? Infinity,
});

function fail(error: unknown): never {
  throw keyValueError(error);
}

function keyValueError(error: unknown): KeyValueError {
  const codes: unknown[] = [];
  let message = String(error);
  for (let one = error; one instanceof Error; one = one.cause) {
    codes.push((one as { code?: unknown }).code);
    message = one.message;
  }
  if (codes.includes('LEVEL_LOCKED')) return new KeyValueError('in-use', message, { cause: error });
  // a table that is too short, or is missing, is read as if the system had failed
  const damaged = codes.includes('LEVEL_CORRUPTION') || /^corruption|invalid argument$|no such file/i.test(message);
  return new KeyValueError(damaged ? 'damaged' : 'unwell', message, { cause: error });
}
