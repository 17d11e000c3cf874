import type { Fields } from '../http/fields.js';
import { originOf, type TargetUri } from '../http/target-uri.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from './upstream.js';

/** A part of a public URI space that stands for a part of an origin server's. */
export interface Mapping {
  /** Public side: `scheme://authority`, and a path prefix with a slash at both ends. */
  readonly publicOrigin: string;
  readonly publicPrefix: string;
  /** Origin server's side: what takes the prefix's place; its path ends in a slash. */
  readonly origin: TargetUri;
}

/**
 * An upstream whose answers speak of the public URIs: `Location` and `Content-Location` that point into the mapped part
 * of the origin server are rewritten, so that a client stays on this side and invalidation meets what is stored here.
 */
export class MappedUpstream implements Upstream {
  constructor(
    private readonly upstream: Upstream,
    private readonly mapping: Mapping,
  ) {}

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const response = await this.upstream.forward(request, options);
    const fields = this.#mapped(response.fields);
    return fields === response.fields ? response : { ...response, fields };
  }

  /** The shared upstream is closed by its owner. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #mapped(fields: Fields): Fields {
    let mapped = fields;
    for (const name of ['location', 'content-location']) {
      const value = fields.first(name);
      const reference = value === undefined ? undefined : publicReference(value, this.mapping);
      if (reference !== undefined && reference !== value)
        mapped = mapped.with(name === 'location' ? 'Location' : 'Content-Location', reference);
    }
    return mapped;
  }
}

/** A reference in an answer of the origin server, as it is to be read on the public side. */
export function publicReference(reference: string, { publicOrigin, publicPrefix, origin }: Mapping): string {
  const [, scheme = `${origin.scheme}:`, authority, rest = ''] = absoluteReference.exec(reference) ?? [];
  if (authority === undefined) {
    const mapped = reference.startsWith(origin.path);
    return mapped ? publicPrefix + reference.slice(origin.path.length) : reference;
  }
  const own = `${scheme}//${authority}`.toLowerCase().replace(usualPort, '') === originOf(origin);
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  if (!own || !path.startsWith(origin.path)) return reference;
  return publicOrigin + publicPrefix + path.slice(origin.path.length);
}

/** A reference with an authority: scheme, authority, and the rest (RFC 3986 §4.1). */
const absoluteReference = /^([a-z][a-z\d+.-]*:)?\/\/([^/?#]*)(.*)$/is;

/** Equivalent to none (RFC 9110 §4.2.3). */
const usualPort = /(?:(?<=^http:.*):(?:80)?|(?<=^https:.*):(?:443)?)$/;

/** The URI at the origin server for a public one whose path begins with the prefix. */
export function mapTarget(target: TargetUri, publicPrefix: string, origin: TargetUri): TargetUri {
  const { scheme, host, port, authority } = origin;
  const path = target.path === '*' ? '*' : origin.path + target.path.slice(publicPrefix.length);
  return { scheme, host, port, authority, path };
}
