import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.js';
import { FileContents } from '../../proxy/roles/file-contents.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { TempDir } from '../support/temp-dir.js';

describe('the files that a configuration names', () => {
  let dir: TempDir;
  let certificates: Certificates;

  before(async () => {
    certificates = await makeCertificates();
  });
  beforeEach(async () => {
    dir = await TempDir.create();
  });
  afterEach(() => dir.remove());

  const contents = (config: object): FileContents =>
    new FileContents(loadConfig(JSON.stringify(config), join(dir.path, 'a.yaml'), {}));
  const problemsOf = (config: object): string[] =>
    contents(config).problems.map(({ key, expected, got }) => `${key}: ${expected}: ${got}`);
  const authorities = async (text: string): Promise<string[]> => {
    await dir.write('ca.pem', text);
    return problemsOf({ upstream: { ca: ['ca.pem'] } });
  };

  it('are read once: what was checked is what is used', async () => {
    await dir.write('ca.pem', certificates.ca);
    const files = contents({ upstream: { ca: ['ca.pem'] } });
    await dir.write('ca.pem', 'another');
    assert.deepEqual(files.problems, []);
    assert.equal(files.text(join(dir.path, 'ca.pem')), certificates.ca);
  });

  it('may hold several certificates, and are refused if any of them is broken', async () => {
    const { ca } = certificates;
    assert.deepEqual(await authorities(`one\n${ca}\ntwo\n${ca}`), []);
    const [half = ''] = await authorities(ca + ca.slice(0, ca.length / 2));
    assert.match(half, /^upstream\.ca\[0\]: a certificate in PEM: .*\(one of them breaks off\)$/);
    const [damaged = ''] = await authorities(ca + ca.replace(/[A-Za-z0-9+/]{20}/, 'AAAAAAAAAAAAAAAAAAAA'));
    assert.match(damaged, /^upstream\.ca\[0\]: a certificate in PEM: /);
    assert.match((await authorities('')).join(), /it has none/);
  });

  it('must be ordinary files, and not enormous: nobody waits for a pipe', async () => {
    execFileSync('mkfifo', [join(dir.path, 'pipe')]);
    assert.match(problemsOf({ upstream: { ca: ['pipe'] } }).join(), /a readable file: .*it is no ordinary file/);
    assert.match(problemsOf({ upstream: { ca: ['.'] } }).join(), /it is no ordinary file/);
    await truncate(await dir.write('large', ''), 17 * 1024 * 1024);
    assert.match(problemsOf({ upstream: { ca: ['large'] } }).join(), /it is too large/);
  });

  it('are known to have changed by their content, key by key', async () => {
    const config = { upstream: { ca: ['ca.pem', 'other.pem'] } };
    for (const name of ['ca.pem', 'other.pem']) await dir.write(name, certificates.ca);
    const before = contents(config);
    await dir.write('ca.pem', certificates.ca);
    await dir.write('other.pem', `${certificates.ca}\n`);
    assert.deepEqual(
      contents(config)
        .changedSince(before)
        .map(({ key }) => key),
      ['upstream.ca[1]'],
    );
  });
});
