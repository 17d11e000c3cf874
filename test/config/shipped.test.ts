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

/** The examples in the comments of a configuration: what a key may be, or what may stand below it, each as a file of its own. */
function examplesIn(text: string): { key: string; text: string }[] {
  const found: { key: string; text: string }[] = [];
  const above: string[] = [];
  let example: string[] = [];
  for (const line of text.split('\n')) {
    const [, commented] = /^ *# {3}(.*)$/.exec(line) ?? [];
    const [, indent = '', key] = /^( *)(\w+):/.exec(line) ?? [];
    if (commented !== undefined) example.push(commented);
    if (key === undefined) continue;
    above.splice(indent.length / 2);
    if (example.length > 0) {
      const parents = example[0]?.startsWith(`${key}:`) === true ? above : [...above, key];
      const lines = parents.map((parent, depth) => `${'  '.repeat(depth)}${parent}:`);
      const inner = example.map((one) => '  '.repeat(parents.length) + one);
      found.push({ key: [...above, key].join('.'), text: `${[...lines, ...inner].join('\n')}\n` });
    }
    example = [];
    above.push(key);
  }
  return found;
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

  it('proxy.config.yaml has examples that can be put in the place of the defaults', () => {
    const examples = examplesIn(read('proxy.config.yaml'));
    assert.deepEqual(
      examples.map(({ key }) => key),
      [
        'listen',
        'access.rules',
        'sites',
        'upstream.proxy',
        'cache.rules',
        'primary',
        'replicated',
        'wlis.trust.roots',
        'clientSide.rules',
        'clientSide.mirrors',
        'clientSide.html',
      ],
    );
    for (const { key, text } of examples) {
      // somebody has to be known for rules about users
      const users = key === 'access.rules' ? '  authentication: { usersFile: users }\n' : '';
      assert.notDeepEqual(loadConfig(text + users, 'x', {}), loadConfig('', 'x', {}), key);
    }
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
        ...['sites[].host', 'sites[].origin', 'sites[].namespace', 'sites[].sendHost'],
        ...['clientSide.rules[].match', 'clientSide.rules[].from', 'clientSide.mirrors[].of'],
        'clientSide.html.rules[].match',
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
