import assert from 'node:assert/strict';
import { processUses, sideEffects, timeReadings } from './globals.js';
import { cycles, impurities, moduleUses, packageMismatches, sharedPackages, wrongDirections } from './imports.js';
import { barrels, deskWords, meaninglessNames, namedFiles } from './names.js';
import { parseSource, type Source } from './source.js';
import { bareUnits } from './units.js';

const never = (): boolean => false;

/** Sources from a table of path and text. */
const house = (files: Readonly<Record<string, string>>): Source[] =>
  Object.entries(files).map(([path, text]) => parseSource(path, text));

describe('the architecture rules', () => {
  it('see an import that goes to a room on the right, whatever its form', () => {
    const sources = house({
      'config/a.ts': "import type { X } from '../proxy/base/b.js';",
      'proxy/base/b.ts': "export * from '../http/c.js'; export type X = import('../cache/d.js').D;",
      'proxy/http/c.ts': "import '../base/b.js'; const d = await import('../cache/d.js');",
      'proxy/cache/d.ts': "import { c } from '../http/c.js'; import { e } from './e.js';",
      'other/f.ts': '',
    });
    assert.deepEqual(wrongDirections(sources), [
      'config/a.ts imports proxy/base/b.ts',
      'proxy/base/b.ts imports proxy/http/c.ts',
      'proxy/base/b.ts imports proxy/cache/d.ts',
      'proxy/http/c.ts imports proxy/cache/d.ts',
      'other/f.ts stands in no room',
    ]);
  });

  it('see a cycle of three, and one of types', () => {
    const sources = house({
      'config/a.ts': "import './b.js';",
      'config/b.ts': "import './c.js';",
      'config/c.ts': "import './a.js';",
      'config/d.ts': "import type { E } from './e.js';",
      'config/e.ts': "import { d } from './d.js';",
      'config/f.ts': "import './a.js'; import './e.js';",
    });
    assert.deepEqual(cycles(sources), [
      'config/a.ts → config/b.ts → config/c.ts → config/a.ts',
      'config/d.ts → config/e.ts → config/d.ts',
    ]);
  });

  it('see the second importer of a package, and packages nobody declared or needs', () => {
    const sources = house({
      'config/a.ts': "import { z } from '@scope/pkg/deep'; import 'node:fs'; import 'fs';",
      'config/b.ts': "import type { y } from '@scope/pkg';",
      'config/c.ts': "import 'single';",
    });
    assert.deepEqual(sharedPackages(sources), ['@scope/pkg is imported by config/a.ts, config/b.ts']);
    assert.deepEqual(packageMismatches(sources, ['@scope/pkg', 'idle']), [
      'config/c.ts imports single',
      'nothing imports idle',
    ]);
  });

  it('see every reading of the time, but not the reading of a given one', () => {
    const text = "Date.now();\nnew Date();\nDate();\nperformance.now();\nnew Date(5);\nDate.parse('');\nclock.now();";
    assert.deepEqual(timeReadings(house({ 'config/a.ts': text }), never), [
      'config/a.ts:1 Date.now',
      'config/a.ts:2 new Date()',
      'config/a.ts:3 Date()',
      'config/a.ts:4 performance.now',
    ]);
    assert.deepEqual(
      timeReadings(house({ 'config/a.ts': text }), () => true),
      [],
    );
  });

  it('see the process and the machine, but not a property of that name', () => {
    const sources = house({
      'config/a.ts': "process.env['X'];\nprocess['exit'](1);\nglobalThis.process.pid;\nthis.process.stop();",
      'config/b.ts': "import { hostname } from 'node:os'; import 'fs/promises';",
    });
    assert.deepEqual(processUses(sources, never), [
      'config/a.ts:1 process.env',
      "config/a.ts:2 process['exit']",
      'config/a.ts:3 globalThis.process.pid',
    ]);
    assert.deepEqual(moduleUses(sources, 'os', never), ['config/b.ts imports node:os']);
    assert.deepEqual(moduleUses(sources, 'fs', never), []);
  });

  it('see what makes a file impure, directly or through another, but not a type', () => {
    const sources = house({
      'proxy/http/pure.ts': "import type { Socket } from 'node:net'; import { x } from './fields.js';",
      'proxy/http/direct.ts': "import { isIP } from 'net';",
      'proxy/http/timed.ts': "import type { Clock } from '../base/clock.js';",
      'proxy/http/fields.ts': '',
      'proxy/http/indirect.ts': "import { isIP } from './direct.js'; import type { t } from './timed.js';",
    });
    const pure = sources.map(({ path }) => path);
    assert.deepEqual(impurities(sources, pure), [
      'proxy/http/direct.ts imports net',
      'proxy/http/timed.ts imports ../base/clock.js',
      'proxy/http/indirect.ts imports net through proxy/http/direct.ts',
    ]);
    const acting = house({ 'config/a.ts': 'setTimeout(f, 1);\nMath.random();\nconsole.log(1);\nMath.max(1, 2);' });
    assert.deepEqual(sideEffects(acting), [
      'config/a.ts:1 setTimeout()',
      'config/a.ts:2 Math.random()',
      'config/a.ts:3 console.log()',
    ]);
  });

  it('see names that say nothing, and barrels', () => {
    assert.deepEqual(meaninglessNames(['a/index.ts', 'a/utils.test.ts', 'a/index-of-words.ts', 'b/types/x.ts']), [
      'a/index.ts',
      'a/utils.test.ts',
    ]);
    const sources = house({
      'config/a.ts': "export * from './b.js';",
      'config/b.ts': "import { x } from './c.js'; export { x };",
      'config/c.ts': "export { d } from './d.js'; export const x = 1;",
      'config/d.ts': "import './c.js';",
    });
    assert.deepEqual(barrels(sources), ['config/a.ts', 'config/b.ts']);
  });

  it('see notes to the authors and paths of their machines', () => {
    const desk = ['', 'work', 'main'].join('/');
    const text = `ok\n// TODO: later\n${desk}\nhttp://h/network/x\n./homework/x\nTODOS`;
    assert.deepEqual(deskWords([{ path: 'a.md', text }]), ['a.md:2 TODO', `a.md:3 ${desk.slice(0, 6)}`]);
  });

  it('see the files that a page names', () => {
    const page = 'In `proxy/http/a.ts`, `test/b`, `other`, proxy/c.ts and `config/`.';
    assert.deepEqual(namedFiles(page), ['proxy/http/a.ts', 'test/b', 'config/']);
  });

  it('see a bare number for a time or a size in what is exported, and only there', () => {
    const text = [
      'export function f(timeout: number, count: number): number { const size: number = 1; return size; }',
      'export const bodyBytes = (n: number): number => n;',
      'export interface I { readonly idleTimeout: number; message: number; age(): number; lifetime: number | null }',
      'export class C { #size: number = 0; get size(): number {} constructor(readonly maxSize: number) {} private length(): number {} }',
      'export async function contentLength(): Promise<number> {}',
      'function inner(ms: number): void {}',
      'export function g(limit: Bytes, delay: Milliseconds, options: { waitMs: number }): void {}',
    ].join('\n');
    assert.deepEqual(bareUnits(house({ 'config/a.ts': text })), [
      'config/a.ts:1 timeout: number',
      'config/a.ts:2 bodyBytes: number',
      'config/a.ts:3 idleTimeout: number',
      'config/a.ts:3 age: number',
      'config/a.ts:3 lifetime: number',
      'config/a.ts:4 maxSize: number',
      'config/a.ts:5 contentLength: number',
      'config/a.ts:7 waitMs: number',
    ]);
  });
});
