import { epochMs, milliseconds, type EpochMs, type Milliseconds } from '../config/units.js';
import type { Fields } from '../proxy/http/fields.js';
import type { Request } from '../proxy/http/message.js';
import {
  parseDictionary,
  serializeInnerList,
  type InnerList,
  type Member,
  type Parameters,
} from '../proxy/http/structured-fields.js';
import { hrefOf, type TargetUri } from '../proxy/http/target-uri.js';
import { isSignedBy, type CallKey } from './call-key.js';
import type { CallReplays } from './call-replays.js';
import { contentDigest, isContentDigest } from './content-digest.js';
import { signatureBase, type SignedComponent } from './signature-base.js';
import type { KeyId, PublicKey } from './trust/public-key.js';

/** A call of one node to another, before it is signed. */
export interface UnsignedCall {
  readonly method: string;
  readonly target: TargetUri;
  /** Null if there is none; an empty one is none. */
  readonly content: Uint8Array | null;
}

/** How long before and after its making a call is taken. */
export const callWindow: Milliseconds = milliseconds(60_000);

/**
 * The fields that sign a call (RFC 9421; docs/protocol.md), to be added to its own: Content-Digest where there is content,
 * Signature-Input and Signature.
 * @param nonce 16 random bytes or more, base64url; never the same twice
 * @param now by the own clock, corrected by what others say of the time
 */
export function callSignature(call: UnsignedCall, key: CallKey, nonce: string, now: EpochMs): readonly string[] {
  const digest = call.content === null || call.content.length === 0 ? null : contentDigest(call.content);
  const components = componentsOf(call.method, hrefOf(call.target), digest);
  const params = new Map<string, string | number>([
    ['created', Math.trunc(now / 1000)],
    ['nonce', nonce],
    ['keyid', key.id],
    ['alg', algorithm],
    ['tag', tag],
  ]);
  const input = { value: components.map(([name]) => ({ value: name, params: new Map() })), params };
  const signature = Buffer.from(key.sign(signatureBase(components, input))).toString('base64');
  return [
    ...(digest === null ? [] : ['Content-Digest', digest]),
    ...['Signature-Input', `${label}=${serializeInnerList(input)}`, 'Signature', `${label}=:${signature}:`],
  ];
}

/** Why a call is not believed to be of a member: the end of the problem's `type`, and what is said beside it. */
export interface CallRefusal {
  readonly reason:
    /** there is no signature for calls between nodes */
    | 'unsigned'
    /** it is not in the form that docs/protocol.md fixes */
    | 'malformed-signature'
    /** it leaves out something that has to be signed */
    | 'not-covered'
    /** of no key that may call */
    | 'unknown-key'
    /** made too long ago, or too far ahead of the clock */
    | 'out-of-window'
    /** for another node */
    | 'wrong-target'
    | 'wrong-content'
    | 'wrong-signature'
    /** it was taken before */
    | 'replayed';
  readonly detail: string;
}

export interface CallVerification {
  /** The key of that name if it may call. */
  readonly keyFor: (id: KeyId) => PublicKey | null;
  /** What this node is called: scheme and authority of its URLs (`https://m1.example`), whatever came between. */
  readonly origins: readonly string[];
  readonly replays: CallReplays;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: EpochMs;
}

/**
 * Who signed a call, or why that is not believed. A call is taken once.
 * @param content all of it, null if there is none; it has to be read before, within bounds
 */
export function verifyCall(
  { method, target, fields }: Pick<Request, 'method' | 'target' | 'fields'>,
  content: Uint8Array | null,
  { keyFor, origins, replays, now }: CallVerification,
): { readonly key: PublicKey } | CallRefusal {
  const call = callIn(fields);
  if ('reason' in call) return call;
  const { input, id, created, nonce } = call;
  const digest = fields.get('content-digest') ?? null;
  const left = uncovered(call, content, digest);
  if (left !== null) return left;
  const key = keyFor(id);
  if (key === null) return refusal('unknown-key', `the key ${id} may not make this call`);
  const late = now - created;
  if (Math.abs(late) > replays.window) {
    const [by, direction] = [Math.round(Math.abs(late) / 1000), late > 0 ? 'ago' : 'ahead'];
    return refusal('out-of-window', `made ${by} s ${direction} by the clock of this node; clocks may differ`);
  }
  const targets = origins.filter((origin) => authorityOf(origin) === target.authority);
  if (targets.length === 0) return refusal('wrong-target', `this node is not called ${target.authority}`);
  const isSigned = targets.some((origin) => {
    const components = componentsOf(method, `${origin}${target.path === '*' ? '' : target.path}`, digest);
    const named = new Map(components);
    const signed = call.names.map((name): SignedComponent => [name, named.get(name) ?? '']);
    return isSignedBy(key, signatureBase(signed, input), call.signature);
  });
  if (!isSigned) return refusal('wrong-signature', 'the signature does not fit');
  return replays.take(id, nonce, created, now) ? { key } : refusal('replayed', 'this call was taken before');
}

function uncovered(call: SignedCall, content: Uint8Array | null, digest: string | null): CallRefusal | null {
  const covered = call.names.includes('content-digest');
  const hasContent = content !== null && content.length > 0;
  if (hasContent && !covered) return refusal('not-covered', 'the content is not signed');
  if (!covered) return null;
  if (digest === null) return refusal('wrong-content', 'there is no Content-Digest');
  const isRight = isContentDigest(digest, content ?? new Uint8Array(0));
  return isRight ? null : refusal('wrong-content', 'the content is not that of its Content-Digest (sha-256)');
}

interface SignedCall {
  /** As it came, for it is signed with the order of its parameters. */
  readonly input: InnerList;
  readonly names: readonly string[];
  readonly signature: Uint8Array;
  readonly id: KeyId;
  readonly created: EpochMs;
  readonly nonce: string;
}

/** The one signature for calls among those that are there. */
function callIn(fields: Fields): SignedCall | CallRefusal {
  const [inputs, signatures] = [fields.get('signature-input'), fields.get('signature')];
  if (inputs === undefined || signatures === undefined) return refusal('unsigned', 'the call is not signed');
  if (inputs.length > longest || signatures.length > longest) {
    return refusal('malformed-signature', `Signature-Input and Signature have at most ${longest} characters`);
  }
  const [listed, given] = [parseDictionary(inputs), parseDictionary(signatures)];
  if (listed === null || given === null) return malformed('Signature-Input or Signature is no dictionary');
  const ours = [...listed].filter(([, { params }]) => params.get('tag') === tag);
  const [first] = ours;
  if (first === undefined) return refusal('unsigned', `there is no signature with the tag "${tag}"`);
  if (ours.length > 1) return malformed(`more than one signature has the tag "${tag}"`);
  const [name, input] = first;
  const signature = given.get(name)?.value;
  if (!(signature instanceof ArrayBuffer)) return malformed(`Signature has no bytes for ${name}`);
  return callFrom(input, new Uint8Array(signature));
}

function callFrom(input: Member, signature: Uint8Array): SignedCall | CallRefusal {
  if (!isInnerList(input)) return malformed('Signature-Input has no list of components');
  const { value: items, params } = input;
  const names = items.map(({ value, params: ofItem }) => (typeof value === 'string' && ofItem.size === 0 ? value : ''));
  const strange = names.find((name) => !components.includes(name));
  if (strange !== undefined) return malformed(`components are ${components.join(', ')}, without parameters`);
  if (new Set(names).size < names.length) return malformed('a component twice');
  const missing = required.find((name) => !names.includes(name));
  if (missing !== undefined) return refusal('not-covered', `${missing} is not signed`);
  const unknown = [...params.keys()].find((name) => !parameters.includes(name));
  if (unknown !== undefined) return malformed(`an unknown parameter '${unknown}'`);
  const read = parametersIn(params);
  return typeof read === 'string' ? malformed(read) : { input, names, signature, ...read };
}

function parametersIn(params: Parameters): Pick<SignedCall, 'id' | 'created' | 'nonce'> | string {
  const [created, nonce, id] = [params.get('created'), params.get('nonce'), params.get('keyid')];
  if (params.has('alg') && params.get('alg') !== algorithm) return `'alg' is not "${algorithm}"`;
  if (typeof created !== 'number' || !Number.isSafeInteger(created) || created < 0) return "'created' is no time";
  if (typeof nonce !== 'string' || !/^[A-Za-z0-9_-]{22,64}$/.test(nonce)) return "'nonce' is not 22 to 64 base64url";
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(id)) return "'keyid' is no JWK thumbprint";
  return { id: id as KeyId, created: epochMs(created * 1000), nonce };
}

const componentsOf = (method: string, uri: string, digest: string | null): SignedComponent[] => [
  ['@method', method],
  ['@target-uri', uri],
  ...(digest === null ? [] : [['content-digest', digest] as const]),
];

const isInnerList = (member: Member): member is InnerList => Array.isArray(member.value);

const authorityOf = (origin: string): string => origin.slice(origin.indexOf('//') + 2);

const refusal = (reason: CallRefusal['reason'], detail: string): CallRefusal => ({ reason, detail });

const malformed = (detail: string): CallRefusal => refusal('malformed-signature', detail);

const required = ['@method', '@target-uri'];
const components = [...required, 'content-digest'];
const parameters = ['created', 'nonce', 'keyid', 'alg', 'tag'];
const algorithm = 'ed25519';
const label = 'wlis';
/** What the signature is for (RFC 9421 §2.3), so that one made for something else never counts. */
const tag = 'wlis-call';
const longest = 2048;
