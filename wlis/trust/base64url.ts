/** Base 64 with the URL-safe alphabet and without padding (RFC 4648 §5), as JWS has it. */
export function toBase64url(data: Uint8Array): string {
  const text: string[] = [];
  for (let i = 0; i < data.length; i += 3) {
    const three = ((data[i] as number) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0);
    const count = Math.min(data.length - i, 3) + 1;
    for (let c = 0; c < count; c++) text.push(alphabet.charAt((three >> (18 - 6 * c)) & 63));
  }
  return text.join('');
}

/** Null for all that `toBase64url` does not make, bits behind the end that are not zero included. */
export function fromBase64url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const data = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    bits = ((bits << 6) | (values[text.charCodeAt(i)] as number)) & 0xffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    data[at++] = bits >> count;
  }
  return (bits & ((1 << count) - 1)) === 0 ? data : null;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const values = new Uint8Array(128);
for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
