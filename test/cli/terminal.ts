import type { Console } from '../../proxy/cli/console.js';

/** A console that keeps what is printed. */
export class Terminal implements Console {
  stdout = '';
  stderr = '';
  readonly environment: Record<string, string> = {};
  readonly hostName = 'cache-1';

  constructor(readonly directory: string) {}

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }
}
