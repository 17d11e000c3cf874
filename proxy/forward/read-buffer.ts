import { bytes, type Bytes } from '../../config/units.js';

/**
 * The buffer that one connection is read into again and again. It grows when reads fill it, and shrinks when they have not
 * needed its size for a while, so that connections on which little comes hold little.
 */
export class ReadBuffer {
  #step = 0;
  #bytes = allocate(smallest);
  /** Successive reads for which the next smaller buffer would have done. */
  #small = 0;

  get current(): Buffer {
    return this.#bytes;
  }

  /** Chooses the buffer for the next read by the last one's size. While its bytes are needed it is not given to others. */
  used(size: Bytes, needed: boolean): void {
    if (size === this.#bytes.length) this.#grow();
    else if (size > (sizes[this.#step - 1] ?? 0)) this.#small = 0;
    else if (++this.#small >= patience && !needed) this.#replace(this.#step - 1);
  }

  /** To be called once, when nothing more will be read. */
  end(needed: boolean): void {
    if (this.#step === largest) lot.giveBack(needed ? null : this.#bytes);
    this.#step = 0;
    this.#bytes = none;
  }

  #grow(): void {
    this.#small = 0;
    const step = this.#step + 1;
    if (step <= largest && (step < largest || lot.hasRoom)) this.#replace(step);
  }

  #replace(step: number): void {
    if (this.#step === largest) lot.giveBack(this.#bytes);
    this.#bytes = step === largest ? lot.take() : allocate(bytes(sizes[step] as number));
    this.#step = step;
    this.#small = 0;
  }
}

/** Of the largest buffers there is a limited lot. */
class Lot {
  readonly #idle: Buffer[] = [];
  #taken = 0;

  get hasRoom(): boolean {
    return this.#taken < mostLargest;
  }

  take(): Buffer {
    this.#taken++;
    return this.#idle.pop() ?? allocate(bytes(sizes[largest] as number));
  }

  /** Null for one that is not to be used again. */
  giveBack(buffer: Buffer | null): void {
    this.#taken--;
    if (buffer !== null && this.#idle.length < mostIdle) this.#idle.push(buffer);
  }
}

/** What a record of TLS needs; what a read of the platform has; what makes system calls few. */
const sizes = [16_384, 65_536, 524_288] as const;
const smallest = bytes(sizes[0]);
const largest = sizes.length - 1;
/** 64 MiB of them. */
const mostLargest = 128;
const mostIdle = 32;
const patience = 8;

const allocate = (size: Bytes): Buffer => Buffer.allocUnsafeSlow(size);
const none = Buffer.alloc(0);
const lot = new Lot();
