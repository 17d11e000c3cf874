import { createHash } from 'node:crypto';
import { bytes, epochMs, type Bytes } from '../../config/units.js';
import { canonicalUri } from '../../wlis/canonical-uri.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { blockSizeFor } from '../../wlis/trust/block-list.js';
import { BlockVerifier } from '../../wlis/trust/block-verifier.js';
import { digestOfText, type Digest } from '../../wlis/trust/digest.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';
import { fieldsBlock } from '../../wlis/trust/fields-block.js';
import { openHead, signHead, type SignedHead } from '../../wlis/trust/head.js';
import { newPrivateJwk, openSigningKey, type SigningKey } from '../../wlis/trust/jws.js';
import { openProofUnderHead, proofUnderHead } from '../../wlis/trust/proof-answer.js';
import { recordDigest, recordKey, recordText, type DocumentRecord } from '../../wlis/trust/record.js';
import { Trie } from '../../wlis/trust/trie.js';
import { oneBlockList } from '../../wlis/trust/variant.js';
import { table, tenths, whole } from '../table.js';
import type { FailoverBench } from './failover-bench.js';

const namespace = parseNamespace('https://docs.example.org/');
const epoch = parseEpoch('1700000000000-0123456789abcdef');

/** What it costs to believe: a signature, a proof, content. In this process, one thing at a time, without any network. */
export async function measureVerifying(bench: FailoverBench): Promise<string> {
  const key = await openSigningKey(await newPrivateJwk());
  const lines: string[][] = [];
  const small = published(1000);
  const head = await small.head(key);
  const opened = await timed(bench, () => openHead(head.jws, namespace, () => key.publicKey));
  lines.push(['head: its signature, once for each head', tenths(opened), whole(head.jws.length)]);
  for (const documents of [1000, 100_000]) {
    const site = published(documents);
    const signed = await site.head(key);
    const text = site.proof(signed);
    const took = await timed(bench, () => openProofUnderHead(text, { uri: site.uri, dropsQuery: false }, signed));
    lines.push([`proof and record of one of ${whole(documents)} documents`, tenths(took), whole(text.length)]);
  }
  for (const length of [1000, 100_000, 10_000_000]) {
    const took = await timed(bench, verification(bytes(length)));
    const perMegabyte = length < 100_000 ? '–' : `${whole((took / length) * 1e6)} for each MB`;
    lines.push([`blocks of ${whole(length / 1000)} kB of content`, tenths(took), perMegabyte]);
  }
  return `### What believing costs by itself\n\n${table(['', 'µs', 'characters, or µs'], lines)}`;
}

/** Microseconds for one, of as many as there is time for. */
async function timed({ options, signal, say }: FailoverBench, act: () => unknown): Promise<number> {
  for (let i = 0; i < 20; i++) await act();
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < options.seconds * 1000) {
    await act();
    count += 1;
    signal.throwIfAborted();
  }
  const took = ((performance.now() - began) / count) * 1000;
  say(`${count} times, ${took.toFixed(1)} µs each`);
  return took;
}

/** A namespace of so many documents of 1 kB. */
function published(documents: number) {
  const texts = Array.from({ length: documents }, (_, n) => recordText(recordOf(`d${Math.floor(n / 100)}/${n}.bin`)));
  const key = (text: string): Digest => recordKey(JSON.parse(text) as DocumentRecord);
  const byKey = new Map(texts.map((text) => [key(text), text]));
  const trie = Trie.empty.with([...byKey].map(([one, text]) => ({ key: one, record: recordDigest(text) })));
  return {
    uri: canonicalUri('https://docs.example.org/d3/333.bin'),
    head: (signing: SigningKey): Promise<SignedHead> =>
      signHead(
        {
          ...{ namespace, epoch, seq: documents, root: trie.root, atomic: false },
          ...{ issued: epochMs(1), refreshAfter: epochMs(2), expires: epochMs(3) },
        },
        signing,
      ),
    proof: (head: SignedHead): string =>
      proofUnderHead(canonicalUri('https://docs.example.org/d3/333.bin'), {
        ...{ head, trie, dropsQuery: false },
        recordText: (one) => byKey.get(one as Digest) ?? '',
        blockList: () => null,
      }),
  };
}

function recordOf(path: string): DocumentRecord {
  const length = bytes(1000);
  const digest = digestOfText(path);
  const variant = {
    ...{ coding: null, language: null, type: 'application/octet-stream', etag: `"${digest.slice(0, 22)}"` },
    ...{ lastModified: epochMs(1_700_000_000_000), length, digest, blockSize: blockSizeFor(length) },
    blocks: oneBlockList(length, digest),
  };
  const fields = fieldsBlock(['Cache-Control', 'max-age=3600']);
  return { kind: 'document', namespace, path, epoch, seq: 1, status: 200, fields, variants: [variant] };
}

/** All blocks of a content, in pieces as a socket gives them. */
function verification(length: Bytes): () => Promise<void> {
  const content = Buffer.alloc(length, 'content');
  const blockSize = blockSizeFor(length);
  const sha256 = (block: Uint8Array): Buffer => createHash('sha256').update(block).digest();
  const blocks: Buffer[] = [];
  for (let at = 0; at < length; at += blockSize) blocks.push(sha256(content.subarray(at, at + blockSize)));
  const list = Buffer.concat(blocks);
  return async () => {
    const verifier = new BlockVerifier({ length, blockSize, list }, sha256);
    for (let at = 0; at < length; at += piece) await verifier.take(content.subarray(at, at + piece));
    verifier.end();
  };
}

/** What undici gives at most. */
const piece = 65_536;
