import type { Response } from '../../proxy/http/message.js';
import { parseDigest, type Digest } from '../../wlis/trust/digest.js';
import { tailText } from '../../wlis/trust/record-list.js';
import { MOST_PREFIXES } from '../../wlis/trust/trie-difference.js';
import { parsePrefix } from '../../wlis/trust/trie-part.js';
import { subtreeAt, subtreeText } from '../../wlis/trust/trie-subtree.js';
import type { ChangeList } from '../change-list.js';
import { recordDigestOf, recordTextOf } from '../document-record.js';
import type { Edition, HeldNamespace } from '../held-namespace.js';
import { madeAnswer } from '../../wlis/calls/call-answer.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { LIST_TYPE } from './changes-resource.js';
import { admitted, headLine, present, type HeldNamespaces } from './held-namespaces.js';
import { KeyIndex } from './key-index.js';
import { LinesBody } from '../../wlis/calls/lines-body.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import type { RememberedTrie, RememberedTries } from './remembered-tries.js';

export interface TrieResourceOptions {
  readonly namespaces: HeldNamespaces;
  readonly tries: RememberedTries;
}

/**
 * `GET …/trie?namespace=…&root=<digest>` and either `prefix=`, of which the list has the subtrees, or `keys=`, of which it has
 * the records; several are separated by commas.
 */
export class TrieResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: TrieResourceOptions;
  readonly #indexes = new WeakMap<ChangeList<string>, KeyIndex>();

  constructor(options: TrieResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const { namespaces, tries } = this.#options;
    const held = admitted(call, namespaces);
    const edition = present(held.edition, held);
    const root = parseDigest(call.query.get('root') ?? '', "'root'");
    const remembered = tries.get(held, root);
    if (remembered === null) throw gone(held, edition, `the trie ${root} is left behind`);
    const [prefixes, keys] = [call.query.get('prefix'), call.query.get('keys')];
    if ((prefixes === undefined) === (keys === undefined)) throw malformedCall("neither or both of 'prefix', 'keys'");
    const lines =
      keys === undefined
        ? subtrees(remembered, severalIn(prefixes ?? ''))
        : await this.#records(held, edition, remembered, severalIn(keys));
    const tail = tailText({ count: lines.length, seq: remembered.version.seq, root });
    return madeAnswer(call.request, LIST_TYPE, new LinesBody([...lines, tail]), headLine(edition, held));
  }

  /** What has changed since that trie is not known any more as it was. */
  async #records(
    held: HeldNamespace,
    edition: Edition,
    { trie, version: { epoch } }: RememberedTrie,
    texts: readonly string[],
  ): Promise<readonly string[]> {
    const keys = texts.map((text) => parseDigest(text, "'keys'"));
    const digests = keys.map((key) => trie.get(key));
    const absent = digests.indexOf(null);
    if (absent >= 0) throw malformedCall(`the trie has nothing at ${keys[absent] as Digest}`);
    const { list } = edition;
    const index = this.#indexes.get(list) ?? new KeyIndex(held.namespace, list);
    this.#indexes.set(list, index);
    const changes = await index.find(keys);
    return changes.map((change, i) => {
      if (change !== undefined && recordDigestOf(change, held.namespace, epoch) === digests[i]) {
        return recordTextOf(change, held.namespace, epoch);
      }
      throw gone(held, edition, `the record of ${keys[i] as Digest} in that trie is left behind`);
    });
  }
}

function subtrees({ trie }: RememberedTrie, texts: readonly string[]): readonly string[] {
  return texts.map((text) => subtreeText(subtreeAt(trie, parsePrefix(text))));
}

function severalIn(text: string): readonly string[] {
  const several = text.split(',', MOST_PREFIXES + 1);
  if (several.length <= MOST_PREFIXES) return several;
  throw malformedCall(`more than ${MOST_PREFIXES} prefixes or keys`);
}

const gone = (held: HeldNamespace, edition: Edition, detail: string): CallProblem =>
  new CallProblem(410, 'gone', detail, headLine(edition, held));
