/**
 * Whether a field of an outgoing request is sent as it is. The others belong to the connection (RFC 9110 §7.6.1) or frame
 * the message, and are written by who writes the message.
 */
export const isRequestField = (name: string): boolean => !ownFields.has(name);

const ownFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
