import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadConfig } from '../../config/load.js';

const folder = new URL('../../examples/', import.meta.url);

describe('the example configurations', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of files.filter((file) => file.endsWith('.yaml'))) {
    // several in a directory are one example
    const test = name.includes('/') ? dirname(name) : name.replace('.yaml', '');

    const text = readFileSync(new URL(name, folder), 'utf8');

    it(`${name} is free of problems, says how it is used, and is used so in a test`, () => {
      assert.notEqual(loadConfig(text, name, {}, { hostName: 'example' }).cache.memory, 0);
      assert.match(text, new RegExp(`^# .*\\n(#.*\\n)*#   willis run --config examples/${name}\\n`));
      assert.equal(existsSync(new URL(`../examples/${test}.test.ts`, import.meta.url)), true);
    });
  }
});
