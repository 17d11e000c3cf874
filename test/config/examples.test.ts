import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { loadConfig } from '../../config/load.js';
import { createLogger } from '../../proxy/base/logger.js';
import { buildNode } from '../../proxy/roles/build-node.js';
import { FakeClock } from '../support/fake-clock.js';

const folder = new URL('../../examples/', import.meta.url);

describe('the example configurations', () => {
  for (const name of readdirSync(folder)) {
    it(`${name} is free of problems, and a node can be built from it`, async () => {
      const config = loadConfig(readFileSync(new URL(name, folder), 'utf8'), name, {}, { hostName: 'example' });
      const quiet = { ...config, log: { ...config.log, access: { ...config.log.access, format: 'off' as const } } };
      const logger = createLogger({ level: 'silent', write: () => undefined });
      await buildNode(quiet, { logger, clock: new FakeClock() }).stop();
      assert.ok(config.cache.memory > 0);
    });
  }
});
