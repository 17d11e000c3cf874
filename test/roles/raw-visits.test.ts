import assert from 'node:assert/strict';
import type { Response } from '../../proxy/http/message.js';
import type { HolderVoices } from '../../proxy/roles/replication/holder-voices.js';
import { RawVisits } from '../../proxy/roles/replication/raw-visits.js';
import type { ReplicationLayer } from '../../proxy/roles/replication/replication-layer.js';
import type { RawSpace } from '../../replication/serving/raw-space.js';
import { namespaceLabel, parseNamespace } from '../../wlis/namespace.js';
import { visitor } from '../replication/serving/held-example.js';

const docs = parseNamespace('http://docs.example.org/');
const evil = parseNamespace('http://evil.example/');
const url = 'https://holder.example';

const answered = { status: 200, fields: null, body: null } as unknown as Response;

/** A node that is the primary of one namespace and a replica of another. */
function visits(): RawVisits {
  const open = { held: { role: 'replica' }, tree: {} };
  const entries = new Map([
    [docs, { kind: 'primary', namespace: docs, open }],
    [evil, { kind: 'replica', namespace: evil, open }],
  ]);
  return new RawVisits({
    layer: { entries, url } as unknown as ReplicationLayer,
    raw: { answer: () => Promise.resolve(answered) } as unknown as RawSpace,
    voices: { of: () => null } as unknown as HolderVoices,
  });
}

const statusAt = async (origin: string, namespace: typeof docs): Promise<number | undefined> =>
  (await visits().answer(visitor(`${origin}/.well-known/wlis/raw/${namespaceLabel(namespace)}/a.js`), false))?.status;

describe('where raw documents are to be had', () => {
  it('decision 6: under the name of the node and of their own namespace, and in the origin of no other', async () => {
    assert.equal(await statusAt(url, evil), 200);
    assert.equal(await statusAt(url, docs), 200);
    assert.equal(await statusAt('http://docs.example.org', docs), 200);
    assert.equal(await statusAt('http://docs.example.org', evil), 421);
    assert.equal(await statusAt('https://docs.example.org', evil), 421, 'whoever takes off the TLS');
  });
});
