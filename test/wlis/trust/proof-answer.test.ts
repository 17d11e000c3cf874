import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs } from '../../../config/units.js';
import { canonicalUri, type CanonicalUri } from '../../../wlis/canonical-uri.js';
import { toBase64url } from '../../../wlis/trust/base64url.js';
import { canonicalJson, type JsonObject } from '../../../wlis/trust/canonical-json.js';
import type { Head, SignedHead } from '../../../wlis/trust/head.js';
import { signHead } from '../../../wlis/trust/head.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import {
  openProofAnswer,
  openProofUnderHead,
  proofAnswer,
  proofUnderHead,
  type ProofSource,
  type ProvenDocument,
} from '../../../wlis/trust/proof-answer.js';
import type { KeyId, PublicKey } from '../../../wlis/trust/public-key.js';
import { NOT_FOUND, recordDigest, recordKey, recordText, type DocumentRecord } from '../../../wlis/trust/record.js';
import { Trie } from '../../../wlis/trust/trie.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { keyNamed } from './keys-example.js';
import { firstEpoch, manual, recordOf } from './record-example.js';
import type { Namespace } from '../../../wlis/namespace.js';

interface Vectors {
  readonly namespace: Namespace;
  readonly publicKey: PublicKey;
  readonly answers: readonly { readonly uri: string; readonly answer: string }[];
}

const table = vectors('proof-answer') as Vectors;
const uri = (path: string): CanonicalUri => canonicalUri(`${manual}${path}`);

const pages = Array.from({ length: 60 }, (_, i) => recordOf(`page${i}`, { seq: i + 1 }));
const notFound = recordOf(NOT_FOUND, { status: 404, seq: 61 });

let key: SigningKey;

before(async () => {
  key = await keyNamed('signer');
});

const keyFor = (id: KeyId): PublicKey | null => (id === key.id ? key.publicKey : null);

/** A node that has these records under a head of its own. */
async function sourceOf(records: readonly DocumentRecord[], over: Partial<Head> = {}): Promise<ProofSource> {
  const texts = new Map<string, string>(records.map((record) => [recordKey(record), recordText(record)]));
  const trie = Trie.of(records.map((record) => ({ key: recordKey(record), record: recordDigest(recordText(record)) })));
  const head: SignedHead = await signHead(
    {
      namespace: manual,
      epoch: firstEpoch,
      seq: 61,
      root: trie.root,
      issued: epochMs(1),
      refreshAfter: epochMs(2),
      expires: epochMs(3),
      atomic: false,
      ...over,
    },
    key,
  );
  return { head, trie, recordText: (one) => texts.get(one)!, blockList: () => null, dropsQuery: true };
}

const opened = (text: string, path: string): Promise<ProvenDocument> =>
  openProofAnswer(text, { uri: uri(path), dropsQuery: true }, manual, keyFor);

const changed = (text: string, change: JsonObject): string =>
  canonicalJson({ ...(JSON.parse(text) as JsonObject), ...change });

describe('the answer to a request for a proof', () => {
  for (const { uri: asked, answer } of table.answers) {
    it(`of docs/vectors/proof-answer.json: ${asked}`, async () => {
      const proven = await openProofAnswer(
        answer,
        { uri: canonicalUri(asked), dropsQuery: true },
        table.namespace,
        () => table.publicKey,
      );
      assert.equal(proven.isThere, !asked.endsWith('/old'));
      assert.equal(proven.record?.path, proven.isThere ? asked.slice(table.namespace.length) : NOT_FOUND);
      assert.deepEqual([...proven.blockLists.keys()], asked.endsWith('big.bin') ? [0] : []);
    });
  }

  it('has the record of a document that is there', async () => {
    const source = await sourceOf([...pages, notFound]);
    const proven = await opened(proofAnswer(uri('page7'), source), 'page7');
    assert.deepEqual(proven.record, pages[7]);
    assert.deepEqual(proven.head, source.head.head);
    assert.equal(proven.isThere, true);
  });

  it('has of one that is not there what the namespace answers instead, or that it says nothing', async () => {
    const proven = await opened(proofAnswer(uri('none'), await sourceOf([...pages, notFound])), 'none');
    assert.deepEqual([proven.isThere, proven.record], [false, notFound]);
    const silent = await opened(proofAnswer(uri('none'), await sourceOf(pages)), 'none');
    assert.deepEqual([silent.isThere, silent.record], [false, null]);
    const empty = await opened(proofAnswer(uri('none'), await sourceOf([])), 'none');
    assert.deepEqual([empty.isThere, empty.record], [false, null]);
  });

  it('is for the URI that was asked for', async () => {
    const source = await sourceOf([...pages, notFound]);
    const text = proofAnswer(uri('page7'), source);
    await assert.rejects(opened(text, 'page8'), disbelief('wrong-proof'));
    await assert.rejects(opened(proofAnswer(uri('none'), source), 'page8'), disbelief('wrong-proof'));
    await assert.rejects(
      openProofAnswer(text, { uri: canonicalUri('https://evil.example/'), dropsQuery: true }, manual, keyFor),
      disbelief('wrong-subject'),
    );
    assert.throws(() => proofAnswer(canonicalUri('https://evil.example/'), source), disbelief('wrong-subject'));
  });

  describe('of a URI with a query that no document has, where such are dropped', () => {
    const asked = (path: string, dropsQuery: boolean) => ({ uri: uri(path), dropsQuery });
    const read = (text: string, path: string, dropsQuery = true): Promise<ProvenDocument> =>
      openProofAnswer(text, asked(path, dropsQuery), manual, keyFor);

    it('has the document without it, and that there is none with it', async () => {
      const text = proofAnswer(uri('page7?a'), await sourceOf([...pages, notFound]));
      const { isThere, record } = await read(text, 'page7?a');
      assert.deepEqual([isThere, record?.path], [true, 'page7']);
      const { withoutQuery, proof, head } = JSON.parse(text) as JsonObject;
      await assert.rejects(read(canonicalJson({ head, proof }), 'page7?a'), disbelief('out-of-date'));
      await assert.rejects(
        read(changed(text, { proof: (withoutQuery as JsonObject)['proof'] }), 'page7?a'),
        disbelief('wrong-proof'),
      );
    });

    it('has that there is neither, and what is answered instead', async () => {
      const { isThere, record } = await read(
        proofAnswer(uri('none?a'), await sourceOf([...pages, notFound])),
        'none?a',
      );
      assert.deepEqual([isThere, record?.path], [false, NOT_FOUND]);
    });

    it('does not hide a document that has the query', async () => {
      const withIt = recordOf('page7?a', { seq: 3 });
      const source = await sourceOf([...pages, withIt]);
      const text = proofAnswer(uri('page7?a'), source);
      assert.equal((await read(text, 'page7?a')).record?.path, 'page7?a');
      const plain = JSON.parse(proofAnswer(uri('page7'), source)) as JsonObject;
      const { head, ...withoutQuery } = plain;
      const lie = canonicalJson({ head, proof: withoutQuery['proof'], withoutQuery });
      await assert.rejects(read(lie, 'page7?a'), disbelief('wrong-proof'));
    });

    it('is refused as out of date by whoever knows another policy of the namespace', async () => {
      const dropping = proofAnswer(uri('page7?a'), await sourceOf([...pages, notFound]));
      await assert.rejects(read(dropping, 'page7?a', false), disbelief('out-of-date'));
      const exact = proofAnswer(uri('page7?a'), { ...(await sourceOf([...pages, notFound])), dropsQuery: false });
      await assert.rejects(read(exact, 'page7?a'), disbelief('out-of-date'));
      assert.equal((await read(exact, 'page7?a', false)).isThere, false);
    });
  });

  it('is the same without its head, where that is told beside it', async () => {
    const source = await sourceOf([...pages, notFound]);
    for (const path of ['page7', 'none', 'page7?a']) {
      const asked = { uri: uri(path), dropsQuery: true };
      const whole = await openProofAnswer(proofAnswer(asked.uri, source), asked, manual, keyFor);
      assert.deepEqual(openProofUnderHead(proofUnderHead(asked.uri, source), asked, source.head), whole);
      assert.throws(
        () => openProofUnderHead(proofAnswer(asked.uri, source), asked, source.head),
        disbelief('malformed'),
      );
    }
    const other = await sourceOf([...pages.slice(1), notFound]);
    const asked = { uri: uri('page7'), dropsQuery: true };
    assert.throws(
      () => openProofUnderHead(proofUnderHead(asked.uri, source), asked, other.head),
      disbelief('wrong-proof'),
    );
  });

  it('put together of parts of others is refused', async () => {
    const honest = proofAnswer(uri('page7'), await sourceOf([...pages, notFound]));
    const other = await sourceOf([...pages.slice(8), recordOf('page7', { seq: 40 }), notFound]);
    const { head, proof, record } = JSON.parse(proofAnswer(uri('page7'), other)) as Record<string, string>;
    for (const part of [{ head }, { proof }, { record }, { head, proof }, { head, record }, { proof, record }]) {
      await assert.rejects(opened(changed(honest, part), 'page7'), disbelief('wrong-proof'));
    }
    assert.equal((await opened(changed(honest, { head, proof, record }), 'page7')).record?.seq, 40);
    const missing = proofAnswer(uri('none'), await sourceOf([...pages, notFound]));
    const { notFound: foreign } = JSON.parse(proofAnswer(uri('none'), await sourceOf(pages))) as {
      notFound: JsonObject;
    };
    await assert.rejects(opened(changed(missing, { notFound: foreign }), 'none'), disbelief('wrong-proof'));
  });

  it('that hides a document behind the answer for what is not there is refused', async () => {
    const source = await sourceOf([...pages, notFound]);
    const absent = JSON.parse(proofAnswer(uri('none'), source)) as JsonObject;
    const { proof } = JSON.parse(proofAnswer(uri('page7'), source)) as JsonObject;
    await assert.rejects(opened(canonicalJson({ ...absent, proof }), 'page7'), disbelief('wrong-proof', /of presence/));
  });

  it('with any character changed is refused', async () => {
    const text = proofAnswer(uri('page7'), await sourceOf([...pages, notFound]));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.constantFrom(...Array.from('abcXYZ019"{}[],:-_')),
        async (at, character) => {
          const altered = text.slice(0, at) + character + text.slice(at + 1);
          fc.pre(altered !== text);
          await assert.rejects(opened(altered, 'page7'), (error: Error) => error.name === 'NotBelieved');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of a record that the head does not know of yet is refused, though the root has it', async () => {
    const source = await sourceOf(pages, { seq: 7 });
    assert.notEqual(await opened(proofAnswer(uri('page6'), source), 'page6'), null);
    await assert.rejects(
      opened(proofAnswer(uri('page7'), source), 'page7'),
      disbelief('malformed', /ahead of the head/),
    );
  });

  it('with a record under the key of another document is refused, though its signer put it there', async () => {
    const text = recordText(pages[1]!);
    const trie = Trie.of([{ key: recordKey(pages[0]!), record: recordDigest(text) }]);
    const { head } = await sourceOf([], { root: trie.root });
    const lying: ProofSource = { head, trie, recordText: () => text, blockList: () => null, dropsQuery: true };
    await assert.rejects(
      opened(proofAnswer(uri('page0'), lying), 'page0'),
      disbelief('wrong-subject', /something else/),
    );
  });

  it('with block lists that are not those of the record is refused', async () => {
    const text = proofAnswer(uri('page7'), await sourceOf(pages));
    const list = toBase64url(new Uint8Array(32));
    await assert.rejects(opened(changed(text, { blocks: [list] }), 'page7'), disbelief('wrong-digest'));
    await assert.rejects(opened(changed(text, { blocks: [list, list] }), 'page7'), disbelief('malformed', /'blocks'/));
    await assert.rejects(opened(changed(text, { blocks: ['='] }), 'page7'), disbelief('malformed', /base64url/));
    assert.equal((await opened(changed(text, { blocks: [null] }), 'page7')).blockLists.size, 0);
  });
});
