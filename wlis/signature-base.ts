import { serializeInnerList, type InnerList } from '../proxy/http/structured-fields.js';

/** What a signature is about: the name of a component of the message, and its value there. */
export type SignedComponent = readonly [name: string, value: string];

/**
 * The text that is signed (RFC 9421 §2.5): a line for each component that `input` lists, and the list itself with its
 * parameters.
 *
 *     "@method": PUT
 *     "@target-uri": https://docs.example.org/
 *     "@signature-params": ("@method" "@target-uri");created=1700000000
 */
export const signatureBase = (components: readonly SignedComponent[], input: InnerList): string =>
  [
    ...components.map(([name, value]) => `"${name}": ${value}`),
    `"@signature-params": ${serializeInnerList(input)}`,
  ].join('\n');
