import { readFileSync } from 'node:fs';

/** One of the tables in docs/vectors, by which others check their own implementation of docs/protocol.md. */
export const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../docs/vectors/${name}.json`, import.meta.url), 'utf8'));
