import assert from 'node:assert/strict';
import { Replicating } from '../support/replicating.js';
import { until } from '../support/waiting.js';

describe('the metrics of documents', () => {
  let site: Replicating;

  afterEach(() => site.stop());

  /** By its label. */
  const samplesOf = (name: string): Record<string, number> => {
    const samples = site.primary.node.metrics.text().matchAll(/^(\w+)\{store="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries(
      [...samples].flatMap(([, of, store, value]) => (of === name ? [[store, Number(value)]] : [])),
    ) as Record<string, number>;
  };

  it('say how much room contents have on disk and in memory, and how much of it they take', async () => {
    const content = 'x'.repeat(100_000);
    const config = { documents: { disk: '2MiB', memory: '2MiB' } };
    site = await Replicating.start({ files: { 'x.txt': content }, config });
    assert.deepEqual(samplesOf('willis_documents_limit_bytes'), { disk: 2 * 1024 ** 2, memory: 2 * 1024 ** 2 });
    // its block list is there too
    await until(() => (samplesOf('willis_documents_bytes')['disk'] ?? 0) === 100_064);
    await site.published('/x.txt', content);
    const inMemory = samplesOf('willis_documents_bytes')['memory'] ?? 0;
    assert.ok(inMemory > 100_000 && inMemory < 110_000, `${inMemory} bytes`);
    await site.primary.reload({ documents: { disk: '3MiB', memory: '3MiB' } });
    assert.deepEqual(samplesOf('willis_documents_limit_bytes'), { disk: 3 * 1024 ** 2, memory: 3 * 1024 ** 2 });
  });

  it('are not there where no namespace is held', async () => {
    site = await Replicating.start();
    await site.primary.reload({ primary: { namespaces: [] } });
    assert.deepEqual(samplesOf('willis_documents_limit_bytes'), {});
  });
});
