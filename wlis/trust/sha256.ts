/**
 * SHA-256 (FIPS 180-4 §6.2) of short texts, at once: keys, records and nodes of the trie, of which there are millions of
 * 65 bytes each. `crypto.subtle` is everywhere but gives its result later, and for 65 bytes the way there and back takes
 * many times as long as the hashing. Content is hashed by the platform instead (`ContentDigest`), which is faster there.
 */
export function sha256(data: Uint8Array): Uint8Array {
  const digest = new Uint8Array(32);
  sha256Into(data, 0, data.length, digest, 0);
  return digest;
}

/** Hashes the bytes from `from` to `to` of `data` and puts the 32 bytes of the result into `target`, beginning at `at`. */
export function sha256Into(data: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  state.set(initial);
  let i = from;
  for (; i + 64 <= to; i += 64) {
    for (let w = 0, p = i; w < 16; w++, p += 4) {
      words[w] =
        ((data[p] as number) << 24) |
        ((data[p + 1] as number) << 16) |
        ((data[p + 2] as number) << 8) |
        (data[p + 3] as number);
    }
    compress();
  }
  finish(data, i, to, to - from);
  for (let w = 0, p = at; w < 8; w++, p += 4) {
    const word = state[w] as number;
    target[p] = word >>> 24;
    target[p + 1] = word >>> 16;
    target[p + 2] = word >>> 8;
    target[p + 3] = word;
  }
}

/** The last bytes, the bit 1, zeros, and how many bits there were (§5.1.1). */
function finish(data: Uint8Array, from: number, to: number, count: number): void {
  words.fill(0, 0, 16);
  let n = 0;
  for (let i = from; i < to; i++, n++) put(n, data[i] as number);
  put(n, 0x80);
  if (n >= 56) {
    compress();
    words.fill(0, 0, 16);
  }
  words[14] = Math.floor(count / 0x2000_0000);
  words[15] = count << 3;
  compress();
}

function put(at: number, byte: number): void {
  words[at >> 2] = (words[at >> 2] as number) | (byte << (24 - 8 * (at & 3)));
}

/** Everything here is used between two calls by nobody. */
const state = new Int32Array(8);
const words = new Int32Array(64);

/** One block, in the first 16 words, into the state (§6.2.2). */
function compress(): void {
  for (let t = 16; t < 64; t++) {
    const x = words[t - 15] as number;
    const y = words[t - 2] as number;
    const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[t] = ((words[t - 16] as number) + sigma0 + (words[t - 7] as number) + sigma1) | 0;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < 64; t++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + sum1 + ((e & f) ^ (~e & g)) + (constants[t] as number) + (words[t] as number)) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  add(0, a);
  add(1, b);
  add(2, c);
  add(3, d);
  add(4, e);
  add(5, f);
  add(6, g);
  add(7, h);
}

function add(index: number, word: number): void {
  state[index] = (state[index] as number) + word;
}

/** §5.3.3 */
const initial = Int32Array.of(
  ...[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
);

/** §4.2.2 */
const constants = Int32Array.of(
  ...[0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5],
  ...[0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174],
  ...[0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da],
  ...[0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967],
  ...[0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85],
  ...[0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070],
  ...[0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3],
  ...[0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2],
);
