import { bitOf, ENTRY } from './trie-hash.js';
import { compareKeys } from './trie-node.js';

/** Puts entries in the order of their keys, where they are. */
export function sortEntries(entries: Uint8Array): void {
  sortRange(entries, 0, entries.length / ENTRY, 0);
}

/** By one bit after the other: keys are digests, so that every bit halves them. */
function sortRange(entries: Uint8Array, from: number, to: number, depth: number): void {
  if (to - from <= fewEnough || depth === 256) {
    insertionSort(entries, from, to);
    return;
  }
  let low = from;
  let high = to;
  while (low < high) {
    if (bitOf(entries, low * ENTRY, depth) === 0) low++;
    else swap(entries, low, --high);
  }
  sortRange(entries, from, low, depth + 1);
  sortRange(entries, low, to, depth + 1);
}

function insertionSort(entries: Uint8Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    for (let at = i; at > from && compareKeys(entries, (at - 1) * ENTRY, entries, at * ENTRY) > 0; at--) {
      swap(entries, at - 1, at);
    }
  }
}

function swap(entries: Uint8Array, a: number, b: number): void {
  if (a === b) return;
  spare.set(entries.subarray(a * ENTRY, (a + 1) * ENTRY));
  entries.copyWithin(a * ENTRY, b * ENTRY, (b + 1) * ENTRY);
  entries.set(spare, b * ENTRY);
}

const fewEnough = 12;
const spare = new Uint8Array(ENTRY);
