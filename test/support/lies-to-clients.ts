import type { Seeded } from '../faults/seeded.js';
import { pour, type Lie, type Truth, type Untruth } from './lying-parent.js';

/** What a replica may do to clients, and whether whoever checks it can see that it lies. */
export interface LieToClients extends Lie {
  /** `blamed`: it is false; `harmless`: it adds or leaves out what nobody believes anyway; `failure`: it is no answer. */
  readonly outcome: 'blamed' | 'harmless' | 'failure';
}

type Tell = (truth: Truth, random: Seeded) => Untruth | null;

const script = '<script>location="http://evil.example/"</script>';

/** From this byte of a document on. */
export const trueUpTo = 1_048_576;

const bytes = ['raw', 'blob'];
const all = ['raw', 'blob', 'proof', 'blocks'];

/** Calls whose answers have content that can be altered. */
const isFull = ({ status, content }: Truth): boolean => (status === 200 || status === 206) && content.length > 0;

const lie = (about: readonly string[], name: string, outcome: LieToClients['outcome'], tell: Tell): LieToClients => ({
  name,
  about,
  outcome,
  tell: (truth, random) => (isFull(truth) ? tell(truth, random) : null),
});

/** Where in the document an answer begins. */
const startOf = ({ fields }: Truth): number => {
  const range = Object.entries(fields).find(([name]) => name.toLowerCase() === 'content-range')?.[1];
  return Number(/^bytes (\d+)-/.exec(range ?? '')?.[1] ?? 0);
};

/** The true bytes up to a place of the document, and a script over and over behind it: at the right length. */
function scriptFrom(place: number): Tell {
  return (truth) => {
    const from = Math.max(0, place - startOf(truth));
    if (from >= truth.content.length) return null;
    const content = Buffer.from(truth.content);
    content.fill(script, from);
    return { content };
  };
}

const flipped: Tell = ({ content }, random) => {
  const other = Buffer.from(content);
  const at = random.below(other.length);
  other.writeUInt8(other.readUInt8(at) ^ (1 << random.below(8)), at);
  return { content: other };
};

const named = (fields: Truth['fields'], name: string): string | undefined =>
  Object.keys(fields).find((one) => one.toLowerCase() === name.toLowerCase());

/** With another value of a field, whatever the case of its name; undefined for none. */
const withField = ({ fields }: Truth, name: string, value: string | undefined): Record<string, string | undefined> => ({
  [named(fields, name) ?? name]: value,
});

const valueOf = ({ fields }: Truth, name: string): string | undefined => fields[named(fields, name) ?? ''];

const shifted = (truth: Truth): Untruth | null => {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(valueOf(truth, 'Content-Range') ?? '');
  if (range === null) return { status: 206, fields: { 'Content-Range': `bytes 7-${6 + truth.content.length}/999999` } };
  const [from, to] = [Number(range[1]) + 7, Number(range[2]) + 7];
  return { fields: withField(truth, 'Content-Range', `bytes ${from}-${to}/${range[3]}`) };
};

/** A proof, and what else is said of a document, in the place of those of another one. */
function otherProof(): LieToClients {
  let other: { readonly path: string; readonly value: string } | null = null;
  return lie(['raw'], 'the proof of another document', 'blamed', (truth) => {
    const value = valueOf(truth, 'WLIS-Proof');
    if (value === undefined) return null;
    other ??= { path: truth.path, value };
    return other.path === truth.path ? null : { fields: withField(truth, 'WLIS-Proof', other.value) };
  });
}

const brokenProof = lie(['raw'], 'a proof with a character that was altered', 'blamed', (truth, random) => {
  const value = valueOf(truth, 'WLIS-Proof');
  if (value === undefined) return null;
  const at = random.between(10, value.length - 10);
  const letter = value[at] === 'A' ? 'B' : 'A';
  return { fields: withField(truth, 'WLIS-Proof', value.slice(0, at) + letter + value.slice(at + 1)) };
});

/** What each lie is called is how tests name it. */
export const liesToClients = (): readonly LieToClients[] => [
  lie(bytes, 'a script behind the first MiB', 'blamed', scriptFrom(trueUpTo)),
  lie(bytes, 'a script in the place of everything', 'blamed', scriptFrom(0)),
  lie(bytes, 'a bit that was altered', 'blamed', flipped),
  lie(bytes, 'that it is not there', 'failure', () => ({ status: 404, content: script })),
  lie(['raw'], 'that it is gone, without a proof', 'failure', () => ({
    ...{ status: 410, content: script },
    fields: { 'WLIS-Proof': undefined, 'wlis-proof': undefined },
  })),
  lie(['raw'], 'a redirect to somebody else', 'failure', () => ({
    ...{ status: 302, content: '' },
    fields: { Location: 'http://evil.example/' },
  })),
  lie(['raw'], 'a cookie, and no policy', 'harmless', (truth) => ({
    fields: { ...withField(truth, 'Content-Security-Policy', undefined), 'Set-Cookie': 'evil=1' },
  })),
  lie(['raw'], 'another type', 'harmless', (truth) => ({ fields: withField(truth, 'Content-Type', 'text/html') })),
  lie(bytes, 'another range than it sends', 'blamed', shifted),
  lie(['raw'], 'that nothing has changed', 'failure', () => ({ status: 304, content: '' })),
  otherProof(),
  brokenProof,
  lie(bytes, 'an answer that is too short', 'failure', ({ content, status, fields }) => ({
    pour: (response) => {
      response.writeHead(status, { ...fields, 'Content-Length': content.length });
      response.write(content.subarray(0, content.length >> 1), () => response.destroy());
    },
  })),
  lie(bytes, 'half of it as if that were all', 'blamed', ({ content }) => ({
    content: content.subarray(0, content.length >> 1),
  })),
  lie(bytes, 'more than there is', 'blamed', ({ content }) => ({ content: Buffer.concat([content, content]) })),
  lie(bytes, 'zeros without an end', 'blamed', ({ status, fields }) => ({
    pour: (response) => {
      response.writeHead(status, fields);
      pour(response, () => Buffer.alloc(65_536));
    },
  })),
  lie(all, 'the page of a captive portal', 'failure', (truth) => ({
    ...{ status: 200, content: '<!doctype html><title>Log in</title>' },
    fields: {
      ...withField(truth, 'WLIS-Proof', undefined),
      ...withField(truth, 'WLIS-Head', undefined),
      ...withField(truth, 'Content-Range', undefined),
      ...withField(truth, 'Content-Type', 'text/html'),
    },
  })),
  lie(['raw', 'proof'], 'an altered proof, when it is asked for one', 'blamed', (truth, random) =>
    truth.call === 'proof' ? flipped(truth, random) : { fields: withField(truth, 'WLIS-Proof', undefined) },
  ),
  lie(all, 'an error', 'failure', () => ({ status: 500, content: 'no' })),
];

export const otherBlockList: LieToClients = lie(['blocks'], 'another block list', 'blamed', flipped);

/** What was there when it was set, for ever, said to be as new as what others say. */
export function frozen(): LieToClients {
  const before = new Map<string, Truth>();
  return {
    ...{
      name: 'what was there before, as if it were the newest',
      outcome: 'harmless',
      about: ['', 'raw', 'proof', 'head', 'blob', 'group'],
    },
    tell: (truth) => {
      const part = valueOf(truth, 'Content-Range')?.replace(/\/.*/, '') ?? truth.status;
      const path = `${truth.method} ${truth.path.replace(/[?&]n=[^&]*/, '')} ${part}`;
      const was = before.get(path);
      if (was === undefined && truth.status < 400) before.set(path, truth);
      if (was === undefined) return null;
      const present = valueOf(truth, 'WLIS-Namespace');
      const head = valueOf(was, 'WLIS-Head')?.replace(/;age=\d+/, ';age=0');
      return {
        ...{ status: was.status, content: was.content },
        fields: {
          ...was.fields,
          ...(was.length !== undefined && { 'Content-Length': was.length }),
          ...(present !== undefined && withField(was, 'WLIS-Namespace', present)),
          ...(head !== undefined && withField(was, 'WLIS-Head', head)),
        },
      };
    },
  };
}
