import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { allKeys } from '../../config/json-schema.js';
import { loadConfig } from '../../config/load.js';
import { referenceTables } from '../../config/reference.js';
import { jsonSchema } from '../../config/schema.js';

const fileOf = (name: string): URL => new URL(`../../${name}`, import.meta.url);
const read = (name: string): string => readFileSync(fileOf(name), 'utf8');

/** Compares a shipped file with what it is made from; with UPDATE=1 in the environment it is written anew. */
function same(name: string, expected: string): void {
  if (process.env['UPDATE'] === '1') writeFileSync(fileOf(name), expected);
  assert.equal(read(name), expected, `${name} is out of date: run this test with UPDATE=1`);
}

describe('what is shipped of the configuration', () => {
  it('proxy.config.yaml says what the defaults are', () => {
    assert.deepEqual(loadConfig(read('proxy.config.yaml'), 'x', {}), loadConfig('', 'x', {}));
  });

  it('proxy.config.yaml mentions every key', () => {
    const text = read('proxy.config.yaml');
    const missing = allKeys(jsonSchema()).filter(([path]) => {
      const parts = path.replaceAll('[]', '').split('.');
      return !parts.every((key) => new RegExp(`^[# -]*${key}:`, 'm').test(text));
    });
    assert.deepEqual(missing, []);
  });

  it('config.schema.json is the schema', () => {
    same('config.schema.json', `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  });

  it('docs/configuration.md has the tables of all keys', () => {
    const [before = '', rest = ''] = read('docs/configuration.md').split('<!-- reference -->\n');
    const after = rest.split('<!-- /reference -->')[1] ?? '';
    const tables = referenceTables(jsonSchema());
    same('docs/configuration.md', `${before}<!-- reference -->\n${tables}<!-- /reference -->${after}`);
  });

  it('every key has a meaning and, unless it must be given, a default', () => {
    for (const [path, node] of allKeys(jsonSchema())) {
      assert.ok((node.description ?? '').length > 5, path);
      const required = [
        ...['sites[].host', 'sites[].origin', 'sites[].sendHost'],
        ...['access.rules[].action', 'cache.rules[].match'],
        ...['primary.namespaces[].url', 'primary.namespaces[].directory'],
        ...['headers[].match', 'headers[].set', 'redirects[].from', 'redirects[].to'].map(
          (key) => `primary.namespaces[].${key}`,
        ),
        ...['replicated.namespaces[].url', 'replicated.namespaces[].from'],
        ...['wlis.trust.roots[].origin', 'wlis.trust.roots[].key'],
      ].includes(path);
      assert.equal(node.default === undefined, required, path);
    }
  });
});
