import type { Seeded } from '../faults/seeded.js';

/** What a node really holds, so that some calls come further than others. */
export interface KnownToStrangers {
  readonly namespace: string;
  readonly epoch: string;
  readonly root: string;
}

const names = [
  'head',
  'changes',
  'trie',
  'proof',
  'blob',
  'blocks',
  'bundle',
  'node',
  'root',
  'replicas',
  'group',
  'changed',
  'status',
];
const methods = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'OPTIONS'];
const parameters = [
  'namespace',
  'since',
  'after',
  'epoch',
  'seq',
  'n',
  'root',
  'prefix',
  'keys',
  'uri',
  'maxBytes',
  'nonce',
  'origin',
];
const odd = [
  ...[
    '',
    '0',
    '-1',
    '1',
    '9007199254740993',
    '1e9',
    'NaN',
    '..',
    '../../etc/passwd',
    '%00',
    '%',
    '%zz',
    '%ff%fe',
    '+',
    '&',
    '=',
    '%26=%3D',
  ],
  ...[
    'http://victim.example/',
    'http://127.0.0.1:1/',
    'https://[::1]/',
    'javascript:alert(1)',
    '__proto__',
    'constructor',
    '%F0%9F%92%A9',
  ],
  ...[
    '%ED%A0%80',
    'null',
    '{}',
    'x'.repeat(3000),
    '0'.repeat(64),
    'f'.repeat(64),
    '0,1,2,3',
    ','.repeat(200),
    '9999999999999-ffffffffffffffff.1',
  ],
];

/** Any call that anybody may make: of every name and method, with right, wrong and strange parameters, fields and content. */
export function aCall(random: Seeded, authority: string, known: KnownToStrangers): string {
  const method = random.pick(methods);
  const place = random.chance(0.5) ? '' : `/${value(random, known)}`;
  const query = new Map<string, string>();
  if (random.chance(0.85)) query.set('namespace', encodeURIComponent(known.namespace));
  if (random.chance(0.5)) query.set('root', known.root);
  for (let more = random.below(5); more > 0; more--) query.set(random.pick(parameters), value(random, known));
  // what waits is for others to try
  query.set('wait', random.chance(0.9) ? '0' : random.pick(odd));
  const pairs = [...query].map(([name, text]) => `${name}=${text}`).join('&');
  const target = `/.well-known/wlis/${random.pick(names)}${place}?${pairs}`.replace(/[ \r\n\0]/g, '');
  const content = random.chance(0.3) ? strangeContent(random) : '';
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${authority}`, `Content-Length: ${Buffer.byteLength(content)}`];
  return `${[...lines, ...fields(random)].join('\r\n')}\r\n\r\n${content}`;
}

function value(random: Seeded, { namespace, epoch, root }: KnownToStrangers): string {
  const seq = random.below(30);
  return random.pick([
    ...[random.pick(odd), random.pick(odd), random.pick(odd), root, String(seq), encodeURIComponent(namespace)],
    ...[`${epoch}.${seq}`, `${epoch}.${seq}.${root.slice(0, 16)}`, epoch, encodeURIComponent(`${namespace}${seq}.txt`)],
    ...[root.slice(0, random.below(65)), 'A'.repeat(random.between(20, 66))],
  ]);
}

function fields(random: Seeded): string[] {
  const possible = [
    ...[
      'Range: bytes=0-',
      'Range: bytes=5-2',
      'Range: bytes=-0',
      'Range: bytes=9999999-',
      `Range: bytes=${'0-1,'.repeat(200)}2-3`,
    ],
    ...['If-None-Match: *', 'If-Range: "x"', 'Accept-Encoding: gzip', 'Accept-Encoding: *;q=0', 'Cookie: a=b'],
    ...[
      'WLIS-Head: "x";age=1',
      'WLIS-Head: "a.b.c";age=999999999999999',
      `WLIS-Head: "${'A'.repeat(9000)}";age=0`,
      'WLIS-Head: ("x")',
    ],
    ...['Signature: wlis=:AAAA:', 'Signature-Input: wlis=()', 'Signature: x', 'Content-Digest: sha-256=:AAAA:'],
    'Signature-Input: wlis=("@method" "@target-uri");created=1;nonce="AAAAAAAAAAAAAAAAAAAAAA";keyid="x";tag="wlis-call"',
  ];
  return Array.from({ length: random.below(4) }, () => random.pick(possible));
}

const strangeContent = (random: Seeded): string =>
  random.pick([
    '{}',
    'null',
    '[]',
    '"',
    '{"key":',
    `{"key":"${'A'.repeat(43)}","urls":[]}`,
    '\u0000',
    '[['.repeat(3000),
    'x'.repeat(70_000),
  ]);
