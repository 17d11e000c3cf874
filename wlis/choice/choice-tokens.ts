import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ChosenPart } from './reader-choices.js';

/** Makes the tokens by which this node knows forms that it has made itself, and of which part of the web they are. */
export class ChoiceTokens {
  /** @param secret as it is at the time */
  constructor(private readonly secret: () => Buffer) {}

  /** In pages of that part, the same for all readers, since pages are stored. Who else has it can be anybody. */
  ofPage(part: ChosenPart): string {
    return this.#token('page', part);
  }

  /** In pages of the proxy itself, which no site can read: for one reader. */
  ofReader(client: string, part: ChosenPart): string {
    return this.#token('reader', `${client}\n${part}`);
  }

  isOfPage(token: string, part: ChosenPart): boolean {
    return isSame(token, this.ofPage(part));
  }

  isOfReader(token: string, client: string, part: ChosenPart): boolean {
    return isSame(token, this.ofReader(client, part));
  }

  #token(kind: 'page' | 'reader', text: string): string {
    return createHmac('sha256', this.secret()).update(`${kind}\n${text}`).digest('base64url').slice(0, length);
  }
}

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a, 'utf16le'), Buffer.from(b, 'utf16le'));

/** 132 bits. */
const length = 22;
