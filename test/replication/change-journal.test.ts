import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { epochMs } from '../../config/units.js';
import { ChangeJournal, type JournalOptions } from '../../replication/change-journal.js';
import type { Change, Edit } from '../../replication/change-list.js';
import { TempDir } from '../support/temp-dir.js';

const at = epochMs(1_700_000_000_000);
const edit = (path: string, text: string | null = `{"v":${JSON.stringify(path)}}`): Edit<string> => ({
  path,
  document: text,
});

const plain = ({ seq, path, document, together, at: when }: Change<string>): unknown => [
  seq,
  path,
  document,
  together,
  when,
];

describe('a journal of changes', () => {
  let temporary: TempDir;
  let options: JournalOptions;

  beforeEach(async () => {
    temporary = await TempDir.create();
    options = { path: join(temporary.path, 'journal'), namespace: 'http://site.example/' };
  });

  afterEach(() => temporary.remove());

  const reopened = async (): Promise<ChangeJournal> => {
    const { journal, found } = await ChangeJournal.open(options);
    assert.ok(journal !== null, JSON.stringify(found));
    return journal;
  };

  it('has the same list when it is opened again, sets and removals included', async () => {
    const journal = await ChangeJournal.begin(options, '5-aa');
    await journal.record([edit(''), edit('#404'), edit('d/x%20y', '{"v":"\u2028"}')], at, false);
    await journal.record([edit('a'), edit('b'), edit('')], at, true);
    await journal.record([edit('b', null)], at, false);
    assert.deepEqual(await journal.record([], at, false), []);
    const before = [...journal.list.changes()].map(plain);
    await journal.close();
    const again = await reopened();
    assert.equal(again.epoch, '5-aa');
    assert.equal(again.list.last, 7);
    assert.deepEqual([...again.list.changes()].map(plain), before);
    await again.close();
  });

  it('goes on with the next number after a compaction too, though the last changes are left out', async () => {
    const journal = await ChangeJournal.begin(options, '5-aa');
    for (let i = 0; i < 50; i++) await journal.record([edit('same', `{"v":${i}}`)], at, false);
    await journal.record([edit('gone')], at, false);
    await journal.record([edit('gone', null)], at, false);
    journal.list.forgetRemovals(epochMs(at + 1));
    const size = journal.size;
    await journal.compact();
    assert.ok(journal.size < size / 4, `${journal.size} of ${size}`);
    await journal.close();
    const again = await reopened();
    assert.deepEqual([again.list.last, again.list.floor], [52, 52]);
    const [next] = await again.record([edit('next')], at, false);
    assert.equal(next?.seq, 53);
    await again.close();
  });

  it('is not opened when it is damaged, or that of another namespace, and says why', async () => {
    const journal = await ChangeJournal.begin(options, '5-aa');
    await journal.record([edit('a')], at, false);
    await journal.close();
    const other = await ChangeJournal.open({ ...options, namespace: 'http://other.example/' });
    assert.equal(other.journal, null);
    assert.match(JSON.stringify(other.found), /it is that of http:\/\/site\.example\//);
    const content = await readFile(options.path);
    content[content.length - 3] = 0;
    await writeFile(options.path, content);
    const damaged = await ChangeJournal.open(options);
    assert.deepEqual([damaged.journal, damaged.found.state], [null, 'damaged']);
  });

  it('records nothing of edits that cannot be written, and is none the worse for it', async () => {
    const journal = await ChangeJournal.begin(options, '5-aa');
    await assert.rejects(journal.record([edit('a'), edit('b', 'no JSON')], at, false), RangeError);
    await assert.rejects(journal.record([edit('a b')], at, false), RangeError);
    await assert.rejects(
      journal.record([edit('long', `{"v":"${'x'.repeat(9 * 1024 * 1024)}"}`)], at, false),
      RangeError,
    );
    assert.equal(journal.list.last, 0);
    const [first] = await journal.record([edit('a')], at, false);
    assert.equal(first?.seq, 1);
    await journal.close();
    const again = await reopened();
    assert.deepEqual(
      [...again.list.changes()].map(({ path }) => path),
      ['a'],
    );
    await again.close();
  });

  it('has all that was acknowledged, and sets as a whole, after its process was killed at any moment', async () => {
    const script = fileURLToPath(new URL('./journal-writer.ts', import.meta.url));
    let last = 0;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import=tsx', script, options.path, options.namespace], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let told = '';
      const enough = 40 + round * 197;
      child.stdout.on('data', (data: Buffer) => {
        told += data.toString();
        if (told.length > enough) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const acknowledged = Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1));
      const { journal, found } = await ChangeJournal.open(options);
      assert.ok(journal !== null, JSON.stringify(found));
      assert.ok(acknowledged > last, `${acknowledged} after ${last}`);
      assert.ok(journal.list.last >= acknowledged, `${journal.list.last} of ${acknowledged}`);
      // the writer makes sets of ten
      assert.equal(journal.list.last % 10, 0);
      last = journal.list.last;
      const documents = [...journal.list.changes()].map(({ seq, document }) => document === `{"v":${seq}}`);
      assert.deepEqual([documents.length > 0, documents.includes(false)], [true, false]);
      await journal.close();
    }
  });
});
