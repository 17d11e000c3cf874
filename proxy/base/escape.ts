/** The text with control characters as `\xhh`, so that what a peer sent cannot steer a terminal or forge a line. */
export function escapeControls(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, hex);
}

/**
 * The text as it may stand between quotes in a line of a log: quotes and backslashes with a backslash before them,
 * everything outside printable ASCII as `\xhh` or `\uhhhh`, but for the `…` that stands for what is left out.
 */
export function escapeQuoted(text: string): string {
  // most texts have nothing of that, and looking is cheaper than replacing
  return unquotable.test(text) ? text.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e…]/g, hex) : text;
}

const unquotable = /["\\]|[^\x20-\x7e…]/;

function hex(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
