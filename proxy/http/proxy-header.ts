/** What a header of the PROXY protocol says of a connection. */
export interface ProxyHeader {
  /** Address and port of the client, or null where the connection is the proxy's own, or it does not know. */
  readonly client: { readonly address: string; readonly port: number } | null;
  /** Whether the client's connection to the proxy is TLS, as far as the header tells. */
  readonly secure: boolean;
}
