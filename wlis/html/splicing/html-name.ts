/** The name of an element or attribute in lower case (of ASCII), as latin1. */
export function htmlName(bytes: Buffer, from: number, to: number): string {
  let hash = 0;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + lowered(bytes[at] ?? 0)) | 0;
  const name = known.get(hash);
  return name !== undefined && isName(bytes, from, to, name) ? name : lower(bytes.toString('latin1', from, to));
}

const lowered = (c: number): number => (c >= 0x41 && c <= 0x5a ? c | 0x20 : c);

const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function isName(bytes: Buffer, from: number, to: number, name: string): boolean {
  if (name.length !== to - from) return false;
  for (let at = from; at < to; at++) if (lowered(bytes[at] ?? 0) !== name.charCodeAt(at - from)) return false;
  return true;
}

function hashOf(name: string): number {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return hash;
}

/** Most that occur: making a string of bytes takes longer than to recognise these. */
const known = new Map(
  (
    'a abbr action alt area article aside b base blockquote body br button charset circle class code col colgroup content dd defs ' +
    'desc details div dl dt em fieldset figure footer font for form g h1 h2 h3 h4 h5 h6 head header height hr href html http-equiv i ' +
    'id iframe img input label lang li line link loading main meta method name nav noscript ol onclick option p path pre property ' +
    'rect rel role s script section select small source span src srcset strong style sub summary sup svg table tbody td template ' +
    'textarea tfoot th thead time title tr tt type u ul use value var video width xlink:href'
  )
    .split(' ')
    .map((name) => [hashOf(name), name] as const),
);
