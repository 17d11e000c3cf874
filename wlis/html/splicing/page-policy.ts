import type { Bar } from '../view-recipe.js';

/**
 * What a page's own policies let into it (Content Security Policy Level 3): the bar has a style of its own in the page, and perhaps a
 * form. All policies have to allow it. A hash or a nonce cannot allow ours, as nobody who wrote the policy knew of it; and where a
 * policy has one, `'unsafe-inline'` counts for nothing.
 *
 * What forbids scripts, or asks for trusted types, does not matter: no script is added.
 */
export class PagePolicy {
  readonly #url: string;
  readonly #policies: readonly Policy[];

  private constructor(url: string, policies: readonly Policy[]) {
    this.#url = url;
    this.#policies = policies;
  }

  /**
   * @param url under which the browser has the page
   * @param headers the values of its `Content-Security-Policy` fields
   */
  static of(url: string, headers: readonly string[]): PagePolicy {
    return new PagePolicy(
      url,
      headers.flatMap((value) => value.split(',').map(policyOf)),
    );
  }

  /** With that of a `meta` in the page, in which some directives count for nothing. */
  and(content: string): PagePolicy {
    const policy = new Map([...policyOf(content)].filter(([name]) => name !== 'sandbox'));
    return new PagePolicy(this.#url, [...this.#policies, policy]);
  }

  allows(bar: Bar): boolean {
    return this.#policies.every((policy) => {
      return allowsInlineStyle(policy) && allowsForms(policy) && this.#allowsAction(policy, bar.formAction);
    });
  }

  /** Browsers check also where the answer to a form leads: back to the page. */
  #allowsAction(policy: Policy, action: string | null): boolean {
    const sources = policy.get('form-action');
    if (action === null || sources === undefined) return true;
    const target = parsed(action, this.#url);
    const page = parsed(this.#url);
    if (target === null || page === null) return false;
    return [target, page].every((url) => sources.some((source) => isMatch(source, url, page)));
  }
}

/** Sources, or other values, by directive; the first of a name counts. */
type Policy = ReadonlyMap<string, readonly string[]>;

function policyOf(text: string): Policy {
  const directives = new Map<string, readonly string[]>();
  for (const part of text.split(';')) {
    const [name = '', ...values] = part
      .trim()
      .toLowerCase()
      .split(/[\t\n\f\r ]+/);
    if (name !== '' && !directives.has(name)) directives.set(name, values);
  }
  return directives;
}

function allowsInlineStyle(policy: Policy): boolean {
  const sources = policy.get('style-src-elem') ?? policy.get('style-src') ?? policy.get('default-src');
  if (sources === undefined) return true;
  return (
    sources.includes("'unsafe-inline'") && !sources.some((source) => /^'(?:nonce|sha256|sha384|sha512)-/.test(source))
  );
}

/** Without forms the bar cannot be closed either. */
const allowsForms = (policy: Policy): boolean => policy.get('sandbox')?.includes('allow-forms') ?? true;

/** By scheme, host and port: paths of sources, which count before a redirect only, are left out of account. */
function isMatch(source: string, url: URL, page: URL): boolean {
  if (source === "'self'") return url.origin === page.origin;
  if (source === '*') return true;
  if (/^[a-z][a-z0-9+.-]*:$/.test(source)) return url.protocol === source;
  const [, scheme, host, port, path] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^:/']+)(?::(\d+|\*))?(\/.*)?$/.exec(source) ?? [];
  if (host === undefined || (path ?? '/') !== '/') return false;
  if (`${scheme ?? page.protocol.slice(0, -1)}:` !== url.protocol) return false;
  const usual = url.protocol === 'https:' ? '443' : '80';
  if (port !== '*' && (port ?? usual) !== (url.port === '' ? usual : url.port)) return false;
  return host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
}

function parsed(url: string, base?: string): URL | null {
  try {
    return new URL(url, base);
  } catch {
    return null;
  }
}
