import { fromBase64url, toBase64url } from './base64url.js';
import { canonicalJson, parseCanonicalJson, type Json } from './canonical-json.js';
import { digestOfText, type Digest } from './digest.js';
import { openJws, type SigningKey } from './jws.js';
import { Members } from './members.js';
import { NotBelieved } from './not-believed.js';
import { keyIdOf, type KeyId, type PublicKey } from './public-key.js';
import { parseRootPayload, rootPayload, type RootStatement } from './root-statement.js';

/** A root statement with those who signed it: its own root key, and after a change of that key the one before too. */
export interface SignedRoot {
  readonly statement: RootStatement;
  /** Of the exact bytes that are signed. */
  readonly digest: Digest;
  /** JWS in compact form, one for each signature, all of the same payload. */
  readonly signatures: readonly string[];
}

/**
 * All statements of an authority, the first one first. It is served whole, so that whoever knows any of them can follow
 * from that one to the newest.
 */
export type RootChain = readonly SignedRoot[];

/**
 * A statement that follows `chain`.
 * @param keys the root key of the statement; behind it, if that is another one than before, the one before
 * @throws NotBelieved for what no reader would take
 */
export async function signRoot(
  statement: RootStatement,
  chain: RootChain,
  keys: readonly SigningKey[],
): Promise<RootChain> {
  const payload = rootPayload(statement);
  const signatures = await Promise.all(keys.map((key) => key.sign('wlis-root', payload)));
  const longer = [...chain, { statement, digest: digestOfText(payload), signatures }];
  return openRootChain(rootChainText(longer), statement.origin);
}

/** As it is served and kept: JWS in the general JSON form (RFC 7515 §7.2.1), in a list. */
export const rootChainText = (chain: RootChain): string =>
  canonicalJson({
    statements: chain.map(({ statement, signatures }) => ({
      payload: toBase64url(new TextEncoder().encode(rootPayload(statement))),
      signatures: signatures.map((jws) => {
        const [head = '', , signature = ''] = jws.split('.');
        return { protected: head, signature };
      }),
    })),
  });

/**
 * Reads a chain and checks that each statement follows from the one before: serials 1, 2, 3 …; a new root key is the one
 * named before, and both have signed. Whether the first one is believed is not said thereby (`judgeRoot`).
 * @throws NotBelieved malformed, too-large, wrong-subject, wrong-signature
 */
export async function openRootChain(text: string, origin: string): Promise<RootChain> {
  const members = new Members(parseCanonicalJson(text, 'root chain', longest), 'root chain');
  const statements = members.list('statements', mostStatements);
  members.end();
  if (statements.length === 0) throw wrong('no statement');
  const chain: SignedRoot[] = [];
  for (const value of statements) {
    const signed = await openRoot(value, chain.at(-1)?.statement ?? null);
    if (signed.statement.origin !== origin) throw new NotBelieved('wrong-subject', `root chain: not of ${origin}`);
    chain.push(signed);
  }
  return chain;
}

async function openRoot(value: Json, before: RootStatement | null): Promise<SignedRoot> {
  const members = new Members(value, 'root chain');
  const payload = members.text('payload', longest);
  const signatures = members.list('signatures', 2).map((one) => compactForm(payload, one));
  members.end();
  const [own = '', ofBefore] = signatures;
  const text = textOf(payload);
  const statement = parseRootPayload(text);
  const serial = (before?.serial ?? 0) + 1;
  if (statement.serial !== serial) throw wrong(`serial ${statement.serial} where ${serial} has to follow`);
  const isChange = before !== null && before.rootKey !== statement.rootKey;
  if (signatures.length !== (isChange ? 2 : 1)) throw wrong(`serial ${serial} has ${signatures.length} signatures`);
  // the payload says which key has to have signed it
  await openJws('wlis-root', own, only(statement.rootKey));
  if (isChange) {
    if (keyIdOf(statement.rootKey) !== before.nextRootKey) {
      throw new NotBelieved('wrong-signature', `root chain: serial ${serial} has a root key that was not named before`);
    }
    await openJws('wlis-root', ofBefore ?? '', only(before.rootKey));
  }
  return { statement, digest: digestOfText(text), signatures };
}

function textOf(payload: string): string {
  const data = fromBase64url(payload);
  if (data === null) throw wrong('a payload that is no base64url');
  return new TextDecoder().decode(data);
}

const only =
  (key: PublicKey) =>
  (id: KeyId): PublicKey | null =>
    keyIdOf(key) === id ? key : null;

function compactForm(payload: string, value: Json): string {
  const members = new Members(value, 'root chain: signature');
  const jws = `${members.text('protected', 1024)}.${payload}.${members.text('signature', 128)}`;
  members.end();
  return jws;
}

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `root chain: ${fault}`);

const mostStatements = 1024;
const longest = 8_388_608;
