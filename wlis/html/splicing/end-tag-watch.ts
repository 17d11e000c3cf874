import { endsName, lessThan } from './html-characters.js';

/** Looks for an end tag in bytes, whatever they are part of: where an element of raw text would end. */
export class EndTagWatch {
  readonly #mark: Buffer;
  #matched = 0;

  /** @param name of the element, in lower case */
  constructor(name: string) {
    this.#mark = Buffer.from(`</${name}`, 'latin1');
  }

  /** Whether it was complete, with what ends its name, in these bytes. */
  pass(chunk: Buffer, from: number, to: number): boolean {
    for (let at = from; at < to; at++) {
      const c = chunk[at] ?? 0;
      if (this.#matched === this.#mark.length && endsName(c)) return true;
      if (this.#matched < this.#mark.length && isSame(c, this.#mark[this.#matched] ?? 0)) this.#matched++;
      else this.#matched = c === lessThan ? 1 : 0;
    }
    return false;
  }
}

const isSame = (c: number, wanted: number): boolean =>
  c === wanted || (wanted >= 0x61 && wanted <= 0x7a && (c | 0x20) === wanted);
