import ts from 'typescript';
import { placeOf, walk, type Source } from './source.js';

/** Readings of the time other than by a `Clock`: `Date.now()`, `new Date()`, `Date()`, `performance.now()`. */
export function timeReadings(sources: readonly Source[], allowed: (path: string) => boolean): string[] {
  return find(sources, allowed, (node) => {
    if (ts.isPropertyAccessExpression(node) && ['Date.now', 'performance.now'].includes(node.getText())) {
      return node.getText();
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0) {
      return 'new Date()';
    }
    return ts.isCallExpression(node) && node.expression.getText() === 'Date' ? 'Date()' : null;
  });
}

/** Uses of the global `process`. */
export function processUses(sources: readonly Source[], allowed: (path: string) => boolean): string[] {
  return find(sources, allowed, (node) => {
    if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return null;
    return ['process', 'globalThis.process'].includes(node.expression.getText()) ? node.getText() : null;
  });
}

/** What makes a rule give different results for the same arguments, or act on the world. */
export function sideEffects(sources: readonly Source[]): string[] {
  const calls = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'Math.random'];
  return find(
    sources,
    () => false,
    (node) => {
      if (!ts.isCallExpression(node)) return null;
      const called = node.expression.getText();
      return calls.includes(called) || /^(console|crypto)\./.test(called) ? `${called}()` : null;
    },
  );
}

function find(
  sources: readonly Source[],
  allowed: (path: string) => boolean,
  judge: (node: ts.Node) => string | null,
): string[] {
  const found: string[] = [];
  for (const source of sources) {
    if (allowed(source.path)) continue;
    walk(source.syntax, (node) => {
      const what = judge(node);
      if (what !== null) found.push(`${placeOf(source, node)} ${what}`);
    });
  }
  return found;
}
