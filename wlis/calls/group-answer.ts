import type { EpochMs } from '../../config/units.js';
import type { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { negotiate } from '../documents/negotiation.js';
import { namespaceLabel } from '../namespace.js';
import { areaOf, rightHolders } from '../piggyback/group-links.js';
import { canonicalJson } from '../trust/canonical-json.js';
import type { Group, SignedGroup } from '../trust/group.js';
import { wholeAnswer } from './call-answer.js';
import { rawUrl } from './raw-target.js';

/**
 * The answer to `…/group`: the signed statement, or by `Accept` what tools read of it, which nobody has signed: a linkset
 * (RFC 9264) or a list of URLs (RFC 2483) of those to whom clients may be sent that do not verify.
 */
export function groupAnswer(asked: Fields, { group, jws }: SignedGroup, now: EpochMs): Response {
  const form = forms[
    negotiate(
      forms.map(({ type }) => ({ type, coding: null, language: null })),
      asked,
    )
  ] as Form;
  return wholeAnswer(form.type, form.text(group, jws, now), ['Vary', 'Accept']);
}

interface Form {
  readonly type: string;
  readonly text: (group: Group, jws: string, now: EpochMs) => string;
}

const forms: readonly Form[] = [
  { type: 'application/jose', text: (_, jws) => jws },
  { type: 'application/linkset+json', text: (group, _, now) => linkset(group, now) },
  { type: 'text/uri-list', text: (group, _, now) => uriList(group, now) },
];

/** Where all of the namespace can be had raw, the primary last. */
const placesIn = (group: Group, now: EpochMs) =>
  rightHolders(group, null, now).map((member) => ({
    href: rawUrl(member.urls[0] as string, namespaceLabel(group.namespace), ''),
    area: areaOf(member),
  }));

function linkset(group: Group, now: EpochMs): string {
  const duplicate = placesIn(group, now).map(({ href, area }, i) => ({
    ...{ href, pri: [String(i + 1)] },
    geo: area === null ? undefined : [area],
  }));
  return canonicalJson({ linkset: [{ anchor: group.namespace, duplicate }] });
}

const uriList = (group: Group, now: EpochMs): string =>
  [`# ${group.namespace}`, ...placesIn(group, now).map(({ href }) => href), ''].join('\r\n');
