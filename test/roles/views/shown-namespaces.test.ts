import assert from 'node:assert/strict';
import { HeldTable } from '../../../proxy/roles/replication/held-table.js';
import type { ReplicationLayer } from '../../../proxy/roles/replication/replication-layer.js';
import { ShownNamespaces } from '../../../proxy/roles/views/shown-namespaces.js';
import { nameSpace, pathSpace } from '../../../wlis/html/mirror/mirror-space.js';
import { namespaceLabel, parseNamespace, type Namespace } from '../../../wlis/namespace.js';

const docs = parseNamespace('http://docs.example/');
const manual = parseNamespace('http://docs.example/manual/');
const secret = parseNamespace('https://secret.example/');

const layerOf = (...namespaces: readonly Namespace[]): { entries: ReplicationLayer['entries'] } => ({
  entries: new HeldTable(namespaces.map((one) => [one, one] as const)) as unknown as ReplicationLayer['entries'],
});

describe('what a node shows in its mirror spaces', () => {
  it('rule 13: namespaces of https are shown over TLS alone', () => {
    const shown = new ShownNamespaces(layerOf(docs, secret));
    assert.equal(shown.in(pathSpace, false).of(`${secret}a`), null);
    assert.equal(shown.in(pathSpace, true).of(`${secret}a`), `/mirror/${namespaceLabel(secret)}/a`);
    assert.equal(shown.in(pathSpace, false).of(`${docs}a`), `/mirror/${namespaceLabel(docs)}/a`);
  });

  it('a URI belongs to the longest of them', () => {
    const places = new ShownNamespaces(layerOf(docs, manual)).in(pathSpace, false);
    assert.equal(places.namespaceOf(`${docs}manual/a`), manual);
    assert.equal(places.namespaceOf(`${docs}manual`), docs);
    assert.equal(places.namespaceOf('http://else.example/'), null);
  });

  it('it is known again, also what it is called, until other namespaces are held', () => {
    const layer = layerOf(docs, manual);
    const shown = new ShownNamespaces(layer);
    const before = shown.in(pathSpace, false);
    for (let port = 1; port <= 40; port++) shown.in(nameSpace(`.m.example:${port}`), false);
    assert.equal(shown.in(pathSpace, false).key, before.key);
    assert.notEqual(shown.in(nameSpace('.m.example'), false).key, before.key);
    layer.entries = layerOf(docs).entries;
    assert.equal(shown.in(pathSpace, false).of(`${manual}a`), `/mirror/${namespaceLabel(docs)}/manual/a`);
    assert.notEqual(shown.in(pathSpace, false).key, before.key);
  });
});
