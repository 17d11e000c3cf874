import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SourceFixture } from './source-fixture.js';

describe('a source whose process is killed', () => {
  let fixture: SourceFixture;

  beforeEach(async () => {
    fixture = await SourceFixture.create();
  });

  afterEach(() => fixture.remove());

  it('has published what it told of, every document with all of its bytes, and goes on from there', async () => {
    const script = fileURLToPath(new URL('./source-process.ts', import.meta.url));
    const content = (page: number, edit: number): string =>
      `page ${page}, edit ${edit} `.repeat(page % 5 === 0 ? 9000 : 20);
    const save = async (page: number, edit: number): Promise<void> => {
      const path = join(fixture.site, `${page}.txt`);
      await writeFile(`${path}.tmp`, content(page, edit));
      await rename(`${path}.tmp`, path);
    };
    const pages = 60;
    for (let page = 0; page < pages; page++) await save(page, 0);
    await fixture.close();
    let edit = 0;
    for (let round = 0; round < 2; round++) {
      const child = spawn(process.execPath, ['--import=tsx', script, fixture.site, fixture.data], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let lines = '';
      child.stdout.on('data', (data: Buffer) => (lines += data.toString()));
      while (lines.split('\n').length < 6 + 5 * round) await save(++edit % pages, edit);
      child.kill('SIGKILL');
      await once(child, 'close');
      const told = Number(lines.slice(0, lines.lastIndexOf('\n')).split('\n').at(-1));
      await fixture.open();
      const { last } = fixture.publication.list;
      assert.ok(last >= told && told > 0, `${last} of ${told}`);
      for (const path of fixture.paths()) {
        const text = (await fixture.text(path)) ?? '';
        const [, page, of] = /^page (\d+), edit (\d+) /.exec(text) ?? [];
        assert.equal(`${page}.txt`, path);
        assert.ok(text === content(Number(page), Number(of)), `${path} is no version of itself`);
      }
      await fixture.close();
    }
    await fixture.open();
    await fixture.scan();
    assert.equal(fixture.paths().length, pages);
    assert.equal(fixture.events.includes('journal-lost'), false);
    assert.equal(await fixture.text(`${edit % pages}.txt`), content(edit % pages, edit));
  });
});
