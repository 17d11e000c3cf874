import { builtinModules } from 'node:module';
import type { Import, Source } from './source.js';

/** The rooms of the house, each of which may import from itself and from those before it. */
const rooms = [
  'config/',
  'proxy/base/',
  'proxy/http/',
  'proxy/access/',
  'proxy/forward/',
  'proxy/cache/',
  'wlis/',
  'replication/',
  'proxy/admin/',
  'proxy/roles/',
  'proxy/cli/',
  'proxy/main.ts',
] as const;

/** Imports that go against the order of rooms, and files that stand in no room. */
export function wrongDirections(sources: readonly Source[]): string[] {
  const wrong: string[] = [];
  for (const { path, imports } of sources) {
    const room = roomOf(path);
    if (room === -1) {
      wrong.push(`${path} stands in no room`);
      continue;
    }
    for (const { file } of imports) {
      if (file !== null && (roomOf(file) === -1 || roomOf(file) > room)) wrong.push(`${path} imports ${file}`);
    }
  }
  return wrong;
}

/** Every cycle once, as `a → b → a`, whether of types or of values. */
export function cycles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const found: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const at = trail.indexOf(path);
    if (at !== -1) found.push([...trail.slice(at), path].join(' → '));
    if (at !== -1 || done.has(path)) return;
    trail.push(path);
    for (const { file } of byPath.get(path)?.imports ?? []) if (file !== null) visit(file);
    trail.pop();
    done.add(path);
  };
  for (const { path } of sources) visit(path);
  return found;
}

/** Packages that more than one file imports. */
export function sharedPackages(sources: readonly Source[]): string[] {
  return [...importersByPackage(sources)]
    .filter(([, importers]) => importers.length > 1)
    .map(([name, importers]) => `${name} is imported by ${importers.join(', ')}`);
}

/** Packages that the code imports though they are no dependency of the product, and the other way round. */
export function packageMismatches(sources: readonly Source[], dependencies: readonly string[]): string[] {
  const imported = importersByPackage(sources);
  return [
    ...[...imported].filter(([name]) => !dependencies.includes(name)).map(([name, [by]]) => `${by} imports ${name}`),
    ...dependencies.filter((name) => !imported.has(name)).map((name) => `nothing imports ${name}`),
  ];
}

/** Imports of a Node.js module, with or without `node:`, outside the files given. */
export function moduleUses(sources: readonly Source[], module: string, allowed: (path: string) => boolean): string[] {
  return sources
    .filter(({ path, imports }) => !allowed(path) && imports.some((one) => isNodeModule(one, module)))
    .map(({ path }) => `${path} imports node:${module}`);
}

/**
 * What a pure file has at run time of the machine: a `node:` module, the logger or the clock, its own or through what it
 * imports. Types of Node.js are not of the machine; the type of the logger or the clock is, because `now` is an argument.
 */
export function impurities(sources: readonly Source[], pure: readonly string[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const found: string[] = [];
  for (const start of pure) {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const one of byPath.get(path)?.imports ?? []) {
        const through = path === start ? '' : ` through ${path}`;
        if (isMachine(one)) found.push(`${start} imports ${one.specifier}${through}`);
        else if (one.file !== null && !one.typeOnly) visit(one.file);
      }
    };
    visit(start);
  }
  return found;
}

function isMachine({ specifier, file, typeOnly }: Import): boolean {
  if (file === 'proxy/base/logger.ts' || file === 'proxy/base/clock.ts') return true;
  return !typeOnly && isBuiltin(specifier);
}

function importersByPackage(sources: readonly Source[]): Map<string, string[]> {
  const importers = new Map<string, string[]>();
  for (const { path, imports } of sources) {
    for (const { specifier, file } of imports) {
      if (file !== null || isBuiltin(specifier)) continue;
      const name = packageOf(specifier);
      const known = importers.get(name) ?? [];
      if (!known.includes(path)) importers.set(name, [...known, path]);
    }
  }
  return importers;
}

const roomOf = (path: string): number => rooms.findIndex((room) => path === room || path.startsWith(room));

const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier);

const isNodeModule = ({ specifier }: Import, module: string): boolean =>
  specifier === module || specifier === `node:${module}` || specifier.startsWith(`node:${module}/`);

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
