import assert from 'node:assert/strict';
import { milliseconds } from '../../../config/units.js';
import { answering } from './faults.js';
import { NodesFixture } from './nodes-fixture.js';

/** A group whose members are all at one host, at a port each. */
async function aimed(replicas: number): Promise<NodesFixture> {
  const nodes = await NodesFixture.create({ replicas, at: (i) => `http://victim.example:${8000 + i}` });
  await nodes.held.put({ 'a.txt': 'Hello' });
  for (const node of nodes.nodes) node.fault = answering(404, 'What do you want?', { 'Content-Type': 'text/html' });
  nodes.order = (candidates, { path }) => {
    const from = Number(/\d+/.exec(path)?.[0] ?? 0) % candidates.length;
    return [...candidates.slice(from), ...candidates.slice(0, from)];
  };
  return nodes;
}

const requestsAt = (nodes: NodesFixture): number =>
  nodes.nodes.filter(({ url }) => url.includes('victim')).reduce((sum, { requests }) => sum + requests.length, 0);

describe('A hostile origin names a victim as those who hold its documents', () => {
  it('however many URLs it has: a bounded number of requests goes there, then one in ten seconds', async () => {
    const nodes = await aimed(60);
    for (let i = 0; i < 200; i++) await assert.rejects(nodes.get(`page-${i}`));
    const sent = requestsAt(nodes);
    assert.ok(sent > 0 && sent <= 40, `${sent} requests`);
    nodes.clock.advance(milliseconds(60_000));
    for (let i = 0; i < 200; i++) await assert.rejects(nodes.get(`page-${i}`));
    assert.ok(requestsAt(nodes) - sent <= 14, `${requestsAt(nodes) - sent} requests in a minute`);
  });

  it('whoever has shown something true is asked as ever, though it fails', async () => {
    const nodes = await aimed(3);
    const faults = nodes.nodes.map(({ fault }) => fault);
    for (const node of nodes.nodes) node.fault = null;
    assert.equal((await nodes.get('a.txt')).content.toString(), 'Hello');
    for (const [i, node] of nodes.nodes.entries()) node.fault = faults[i] ?? null;
    for (let i = 0; i < 50; i++) await assert.rejects(nodes.get(`page-${i}`));
    for (const node of nodes.nodes) node.fault = null;
    assert.equal((await nodes.get('a.txt')).content.toString(), 'Hello');
  });
});
