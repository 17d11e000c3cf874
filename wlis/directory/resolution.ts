import { NotCanonical } from '../not-canonical.js';
import { parseNamespace, type Namespace } from '../namespace.js';
import { canonicalJson, parseCanonicalJson, type Json } from '../trust/canonical-json.js';
import { Members } from '../trust/members.js';
import { NotBelieved } from '../trust/not-believed.js';

/** Where a URI can be had, as a directory tells it. Nothing of it is to be believed but by what the group states. */
export interface Resolution {
  readonly namespace: Namespace;
  /** In its canonical spelling. */
  readonly uri: string;
  /** The statement of the group. */
  readonly group: string;
  /** Who has it, the best first. */
  readonly at: readonly ResolvedPlace[];
}

export interface ResolvedPlace {
  /** `https://m1.example` */
  readonly url: string;
  readonly role: 'primary' | 'replica';
  /** Where that node has the document. */
  readonly raw: string;
  /** Whether clients may be sent there that do not verify what they get. */
  readonly browsers: boolean;
}

/** In canonical form. */
export const resolutionText = ({ namespace, uri, group, at }: Resolution): string =>
  canonicalJson({
    ...{ namespace, uri, group },
    at: at.map(({ url, role, raw, browsers }) => ({ url, role, raw, browsers: browsers ? true : undefined })),
  });

/** @throws NotBelieved malformed, too-large */
export function parseResolution(text: string): Resolution {
  const members = new Members(parseCanonicalJson(text, 'resolve', longest), 'resolve');
  const resolution = {
    namespace: namespaceIn(members.text('namespace', 16_384)),
    uri: members.text('uri', 16_384),
    group: members.text('group', longest),
    at: members.list('at', mostPlaces).map(parsePlace),
  };
  members.end();
  return resolution;
}

function parsePlace(value: Json): ResolvedPlace {
  const members = new Members(value, 'resolve: place');
  const role = members.text('role', 16);
  if (role !== 'primary' && role !== 'replica') throw new NotBelieved('malformed', "resolve: 'role' is not known");
  const place: ResolvedPlace = {
    role,
    url: members.text('url', 512),
    raw: members.text('raw', 32_768),
    browsers: members.optional('browsers', (name) => members.flag(name)) ?? false,
  };
  members.end();
  return place;
}

function namespaceIn(text: string): Namespace {
  try {
    const namespace = parseNamespace(text);
    if (namespace === text) return namespace;
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
  }
  throw new NotBelieved('malformed', 'resolve: no namespace in its canonical spelling');
}

const longest = 2_097_152;
const mostPlaces = 64;
