import assert from 'node:assert/strict';
import { systemClock } from '../../proxy/base/clock.js';
import { parseMetrics } from '../support/metrics-parser.js';
import { startProcess, type WillisProcess } from '../support/willis-process.js';

describe('the metrics of a process', () => {
  let willis: WillisProcess;
  before(async () => {
    const listen = { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: '127.0.0.1:0' };
    willis = await startProcess({ listen, log: { access: { format: 'off' } } });
  });
  after(() => willis.stop());

  it('are text that Prometheus reads, and tell what the process takes and which program it is', async () => {
    const response = await fetch(`http://127.0.0.1:${willis.port('admin')}/metrics`);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const families = parseMetrics(await response.text());
    const one = (name: string): number => {
      const value = families.find((family) => family.name === name)?.samples[0]?.value;
      return typeof value === 'number' ? value : Number.NaN;
    };
    assert.ok(one('process_cpu_seconds_total') > 0, String(one('process_cpu_seconds_total')));
    const memory = one('process_resident_memory_bytes') / 1024 / 1024;
    assert.ok(Math.abs(memory - (await willis.memory())) < 64, String(memory));
    assert.ok(
      one('nodejs_heap_size_used_bytes') < one('nodejs_heap_size_total_bytes') * 1.5,
      String(one('nodejs_heap_size_used_bytes')),
    );
    assert.ok(
      one('process_start_time_seconds') * 1000 < systemClock.now(),
      String(one('process_start_time_seconds') * 1000),
    );
    assert.deepEqual(families.find(({ name }) => name === 'willis_build_info')?.samples[0]?.labels, {
      ...{ version: '0.1.0', runtime: process.version },
    });
    assert.equal(
      families.every(({ help }) => /^[A-Z].*\.$/.test(help)),
      true,
    );
  });
});
