import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allKeys } from '../../config/json-schema.js';
import { jsonSchema } from '../../config/schema.js';
import { testedKeys } from './flips.js';

// Whichever files were asked for: what is loaded already is not loaded again, if it is loaded as mocha does.
const load = createRequire(import.meta.url);
const own = fileURLToPath(import.meta.url);
for (const name of readdirSync(dirname(own))) {
  if (name.endsWith('.test.ts') && name !== basename(own)) load(join(dirname(own), name));
}

/** Those of the table, and those of what has a name in it, such as `listener.tls`. */
function everyKey(): string[] {
  const root = jsonSchema();
  const named = Object.entries(root.$defs ?? {}).flatMap(([name, node]) => allKeys(root, node, name));
  return [...allKeys(root), ...named].map(([key]) => key);
}

describe('every key of the configuration', () => {
  it('has a test that changes it in a running node and observes the change from outside', () => {
    const untested = everyKey().filter((key) => !testedKeys().has(key));
    assert.deepEqual({ untested }, { untested: [] });
  });

  it('that is tested exists', () => {
    const unknown = [...testedKeys()].filter((key) => !everyKey().includes(key));
    assert.deepEqual({ unknown }, { unknown: [] });
  });
});
