import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { loadConfig } from '../../config/load.js';

const folder = new URL('../../examples/', import.meta.url);

describe('the example configurations', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
    const text = readFileSync(new URL(name, folder), 'utf8');

    it(`${name} is free of problems, says how it is used, and is used so in a test`, () => {
      assert.notEqual(loadConfig(text, name, {}, { hostName: 'example' }).cache.memory, 0);
      assert.match(text, new RegExp(`^# .*\\n(#.*\\n)*#   willis run --config examples/${name}\\n`));
      assert.equal(existsSync(new URL(`../examples/${name.replace('.yaml', '.test.ts')}`, import.meta.url)), true);
    });
  }
});
