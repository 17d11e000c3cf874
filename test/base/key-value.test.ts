import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeyValueError, openKeyValue, repairKeyValue, type KeyValueFault } from '../../proxy/base/key-value.js';
import { TempDir } from '../support/temp-dir.js';

const put = (key: string, value = key) => ({ type: 'put', key, value: Buffer.from(value) }) as const;

const faultOf = async (attempt: Promise<unknown>): Promise<KeyValueFault> => {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof KeyValueError, String(error));
    return error.fault;
  }
  return assert.fail('it should have failed');
};

describe('a key-value store', () => {
  let directory: string;
  let temporary: TempDir;

  beforeEach(async () => {
    temporary = await TempDir.create();
    directory = join(temporary.path, 'made');
  });

  afterEach(() => temporary.remove());

  it('gives what was put, in the order of the keys, also when it is opened again', async () => {
    const first = await openKeyValue(directory);
    await first.change([put('b'), put('a', 'old'), put('c')]);
    await first.change([put('a'), { type: 'del', key: 'c' }], { durable: true });
    await first.close();
    await first.close();
    const again = await openKeyValue(directory);
    assert.equal((await again.get('a'))?.toString(), 'a');
    assert.equal(await again.get('c'), undefined);
    const entries: string[] = [];
    for await (const [key, value] of again.entries({ from: 'a', before: 'z' }))
      entries.push(`${key}=${value.toString()}`);
    assert.deepEqual(entries, ['a=a', 'b=b']);
    const keys: string[] = [];
    for await (const key of again.keys({ from: 'a', before: 'b', most: 5 })) keys.push(key);
    assert.deepEqual(keys, ['a']);
    await again.compact();
    await again.close();
  });

  it('is open once at a time', async () => {
    const store = await openKeyValue(directory);
    assert.equal(await faultOf(openKeyValue(directory)), 'in-use');
    await store.close();
  });

  it('keeps what was acknowledged when its process is killed', async () => {
    const module = JSON.stringify(fileURLToPath(new URL('../../proxy/base/key-value.ts', import.meta.url)));
    const script = `import(${module}).then(async ({ openKeyValue }) => {
      const store = await openKeyValue(${JSON.stringify(directory)});
      await store.change([{ type: 'put', key: 'k', value: Buffer.from('v') }]);
      process.kill(process.pid, 'SIGKILL');
    });`;
    assert.throws(() => execFileSync(process.execPath, ['--import=tsx', '-e', script], { stdio: 'ignore' }));
    const store = await openKeyValue(directory);
    assert.equal((await store.get('k'))?.toString(), 'v');
    await store.close();
  });

  it('says when it is damaged, and can be repaired', async () => {
    const store = await openKeyValue(directory);
    for (let i = 0; i < 100; i++) await store.change([put(`key ${i}`, 'x'.repeat(1000))]);
    await store.compact();
    await store.close();
    for (const file of readdirSync(directory)) {
      if (file.startsWith('MANIFEST')) truncateSync(join(directory, file), 10);
    }
    assert.equal(await faultOf(openKeyValue(directory)), 'damaged');
    await repairKeyValue(directory);
    const again = await openKeyValue(directory);
    assert.equal((await again.get('key 7'))?.length, 1000);
    await again.close();
  });

  it('says when its directory cannot be used', async () => {
    writeFileSync(directory, '');
    assert.equal(await faultOf(openKeyValue(directory)), 'unwell');
  });
});
