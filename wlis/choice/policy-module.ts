import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { ChoicePolicy } from './choice.js';

/**
 * The policy of an operator: the default export of a module of JavaScript. A file with another content than before is another
 * module, so that it is loaded anew; the same content is loaded once.
 * @param content of the file, as it was checked
 * @throws Error for what cannot be loaded, or exports no function
 */
export async function loadPolicy(path: string, content: string): Promise<ChoicePolicy> {
  const url = pathToFileURL(path);
  url.searchParams.set('content', createHash('sha256').update(content).digest('hex').slice(0, 16));
  // a CommonJS module is known by its path alone
  Reflect.deleteProperty(createRequire(import.meta.url).cache, path);
  const { default: policy } = (await import(url.href)) as { readonly default?: unknown };
  if (typeof policy !== 'function') throw new Error('its default export is no function');
  return policy as ChoicePolicy;
}
