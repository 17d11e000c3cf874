import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { milliseconds } from '../../../config/units.js';
import type { Logger } from '../../../proxy/base/logger.js';
import { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import { ChoicesFile } from '../../../wlis/choice/choices-file.js';
import { ReaderChoices } from '../../../wlis/choice/reader-choices.js';
import { TempDir } from '../../support/temp-dir.js';
import { aWhile, until } from '../../support/waiting.js';

const [one, two] = ['192.0.2.1', '2001:db8::2'] as const;
const part = 'http://docs.example/';
const [m1, m2] = ['http://m1.example', 'http://m2.example'] as const;

describe('what readers have chosen', () => {
  it('is of each reader and each part of the web', () => {
    const choices = new ReaderChoices();
    choices.choose({ client: one, part, from: m1 });
    choices.choose({ client: two, part, from: m2 });
    assert.deepEqual([choices.of(one, part), choices.of(two, part), choices.of(one, `${part}a/`)], [m1, m2, null]);
    choices.choose({ client: one, part, from: 'primary' });
    assert.deepEqual([choices.of(one, part), choices.size], ['primary', 2]);
    choices.leave(one, part);
    assert.deepEqual([choices.of(one, part), choices.size], [null, 1]);
  });

  it('is bounded, the longest unused goes first', () => {
    const choices = new ReaderChoices(2);
    choices.choose({ client: one, part, from: m1 });
    choices.choose({ client: two, part, from: m1 });
    choices.of(one, part);
    choices.choose({ client: '192.0.2.3', part, from: m1 });
    assert.deepEqual([choices.of(one, part), choices.of(two, part), choices.size], [m1, null, 2]);
  });

  it('counts changes, and only those', () => {
    const choices = new ReaderChoices();
    choices.leave(one, part);
    assert.equal(choices.changes, 0);
    choices.choose({ client: one, part, from: m1 });
    choices.of(one, part);
    choices.leave(one, part);
    assert.equal(choices.changes, 2);
  });
});

describe('the file of choices', () => {
  let directory: TempDir;
  let path: string;
  let warnings: string[];
  const opened: ChoicesFile[] = [];

  beforeEach(async () => {
    directory = await TempDir.create();
    path = join(directory.path, 'finding', 'choices.json');
    warnings = [];
  });
  afterEach(async () => {
    for (const file of opened.splice(0)) await file.close();
    await directory.remove();
  });

  const logger: Logger = {
    ...{ debug: () => undefined, info: () => undefined, error: () => undefined, child: () => logger },
    flush: () => undefined,
    warn: ({ code }) => void warnings.push(code),
  };

  const open = async (choices: ReaderChoices): Promise<ChoicesFile> => {
    const file = await ChoicesFile.open({ path, choices, logger, every: milliseconds(5) });
    opened.push(file);
    file.begin();
    return file;
  };

  it('remembers them, their order and the secret, for its owner alone', async () => {
    const choices = new ReaderChoices();
    const file = await open(choices);
    choices.choose({ client: one, part, from: m1 });
    choices.choose({ client: two, part, from: 'primary' });
    await file.close();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = new ReaderChoices();
    const next = await open(again);
    assert.deepEqual([...again.all()], [...choices.all()]);
    assert.ok(next.secret.equals(file.secret), 'the same secret');
    assert.deepEqual(warnings, []);
  });

  it('forgets what is too long to be read again, and nothing else because of that', async () => {
    const choices = new ReaderChoices();
    const file = await open(choices);
    choices.choose({ client: one, part, from: m1 });
    choices.choose({ client: two, part: `${part}${'a'.repeat(5000)}/`, from: 'primary' });
    await file.close();
    const again = new ReaderChoices();
    const next = await open(again);
    assert.deepEqual([[...again.all()], warnings], [[{ client: one, part, from: m1 }], []]);
    assert.ok(next.secret.equals(file.secret), 'the same secret');
  });

  it('has the secret, by which forms are known, before there is any choice', async () => {
    const file = await open(new ReaderChoices());
    await until(() => readFile(path).then(Boolean, () => false));
    const next = await open(new ReaderChoices());
    assert.ok(next.secret.equals(file.secret), 'the same secret');
    assert.deepEqual(warnings, []);
  });

  it('is written soon after a change, and not otherwise', async () => {
    const choices = new ReaderChoices();
    await (await open(choices)).write();
    await rm(path);
    await aWhile();
    await assert.rejects(stat(path), { code: 'ENOENT' });
    choices.choose({ client: one, part, from: m1 });
    await until(async () => (await readFile(path, 'utf8').catch(() => '')).includes(m1));
    choices.leave(one, part);
    await until(async () => !(await readFile(path, 'utf8')).includes(m1));
  });

  it('takes nothing back that has been chosen since', async () => {
    const choices = new ReaderChoices();
    const file = await open(choices);
    choices.choose({ client: one, part, from: m1 });
    await file.close();
    const since = new ReaderChoices();
    since.choose({ client: one, part, from: m2 });
    await open(since);
    assert.equal(since.of(one, part), m2);
  });

  for (const [what, content] of [
    ['no JSON', '{'],
    ['another kind', '{"choices":[],"kind":"health/1","secret":"x"}\n'],
    ['a short secret', '{"choices":[],"kind":"choices/1","secret":"AAAA"}\n'],
    [
      'a choice with more',
      `{"choices":[{"client":"a","from":"b","more":1,"part":"c"}],"kind":"choices/1","secret":"${'A'.repeat(43)}"}\n`,
    ],
  ] as const) {
    it(`counts as none, and says so, if there is ${what} in it`, async () => {
      await mkdir(join(directory.path, 'finding'));
      await writeFile(path, content);
      const choices = new ReaderChoices();
      const file = await open(choices);
      assert.deepEqual([choices.size, warnings, file.secret.length], [0, ['choices-forgotten'], 32]);
      await file.write();
      assert.equal(await readFile(path, 'utf8'), content, 'left as it is until there is something to write');
    });
  }

  it('says so if it cannot be written, and tries again', async () => {
    await writeFile(join(directory.path, 'finding'), 'a file');
    const choices = new ReaderChoices();
    await open(choices);
    choices.choose({ client: one, part, from: m1 });
    await until(() => warnings.includes('choices-not-remembered'));
  });
});

describe('the tokens of forms', () => {
  const tokens = new ChoiceTokens(() => Buffer.alloc(32, 1));

  it('are of a part of the web, or of that and one reader, and are not taken for each other', () => {
    const [page, own] = [tokens.ofPage(part), tokens.ofReader(one, part)];
    assert.ok(tokens.isOfPage(page, part) && tokens.isOfReader(own, one, part), 'of their own');
    assert.deepEqual(
      [
        tokens.isOfPage(page, `${part}a/`),
        tokens.isOfPage(own, part),
        tokens.isOfReader(page, one, part),
        tokens.isOfReader(own, two, part),
        tokens.isOfReader(own, one, `${part}a/`),
        tokens.isOfPage('', part),
        tokens.isOfPage(`${page}\u0100`, part),
        tokens.isOfPage(page.slice(0, -1) + String.fromCharCode(page.charCodeAt(21) + 256), part),
      ],
      Array.from({ length: 8 }, () => false),
    );
  });

  it('are those of the secret as it is', () => {
    const other = new ChoiceTokens(() => Buffer.alloc(32, 2));
    assert.equal(other.isOfPage(tokens.ofPage(part), part), false);
  });
});
