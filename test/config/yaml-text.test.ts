import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { withItem } from '../../config/yaml-text.js';

const item = { url: 'https://a.example/', from: 'https://p.example' };
const path = ['replicated', 'namespaces'] as const;
const added = '    - url: https://a.example/\n      from: https://p.example\n';

describe('an item that is added to a configuration in YAML', () => {
  for (const [what, before, after] of [
    ['begins the text where there is none', '', `replicated:\n  namespaces:\n${added}`],
    [
      'stands at the end where there is no such list',
      'listen:\n  admin: null   # closed',
      `listen:\n  admin: null   # closed\n\nreplicated:\n  namespaces:\n${added}`,
    ],
    [
      'follows the last item, in the same column, and nothing else is changed by a byte',
      'replicated:\n    namespaces:\n    - {url: b,   from: "c"} # one\n    # end\n\nlog:    {level: warn}\n',
      `replicated:\n    namespaces:\n    - {url: b,   from: "c"} # one\n${added}    # end\n\nlog:    {level: warn}\n`,
    ],
    [
      'follows an item of several lines, with references to the environment',
      'replicated:\n  namespaces:\n    - url: b\n      from: ${FROM}   # two\n',
      `replicated:\n  namespaces:\n    - url: b\n      from: \${FROM}   # two\n${added}`,
    ],
    [
      'has the line ends of the text',
      'replicated:\r\n  namespaces:\r\n    - url: b\r\nz: 1\r\n',
      `replicated:\r\n  namespaces:\r\n    - url: b\r\n${added.replaceAll('\n', '\r\n')}z: 1\r\n`,
    ],
    ['fills an empty list', 'replicated:\n  namespaces: []\na: 1\n', `replicated:\n  namespaces:\n${added}a: 1\n`],
    ['stands where the key has no value', 'replicated: # later\na: 1\n', null],
    ['stands in a map within braces', '{"a": 1, "replicated": {"namespaces": [{"url": "b"}]}}', null],
    ['stands behind a marker', '---\na: 1\n...\n', null],
    ['stands behind a text that keeps its line ends', 'a: |+\n  x\n\n\n', null],
    ['stands where everything is indented', '  a: 1\n  b: 2 # c\n', null],
  ] as const) {
    it(what, () => {
      const edited = withItem(before, path, item);
      if (after !== null) assert.equal(edited, after);
      const value = (parse(before) ?? {}) as { replicated?: { namespaces?: unknown[] } };
      const namespaces = [...(value.replicated?.namespaces ?? []), item];
      assert.deepEqual(parse(edited), { ...value, replicated: { ...value.replicated, namespaces } });
      for (const [comment] of before.matchAll(/#.*/g)) assert.ok(edited.includes(comment), `${comment} stays`);
    });
  }

  it('stands at the end of a list within several maps, of which some may be there', () => {
    const deep = ['wlis', 'trust', 'roots'] as const;
    for (const before of [
      '',
      'wlis:\n',
      'wlis: {peers: [a]}\n',
      'wlis:\n  trust: # here\n    firstUse: true\n',
      'a: 1\n',
    ]) {
      const edited = withItem(before, deep, item);
      const value = (parse(before) ?? {}) as { wlis?: { trust?: object } | null };
      const trust = { ...value.wlis?.trust, roots: [item] };
      assert.deepEqual(parse(edited), { ...value, wlis: { ...value.wlis, trust } }, before);
    }
    assert.throws(() => withItem('wlis: {trust: {roots: {}}}', deep, item), /wlis\.trust\.roots is no list/);
  });

  it('is there with all that was there, whatever that is', () => {
    const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.string(), fc.constant(null));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
    }));
    const entry = fc.record({ url: fc.string(), from: fc.string() }, { requiredKeys: ['url'] });
    const whole = fc.record(
      { before: tree, replicated: fc.record({ namespaces: fc.array(entry) }, { requiredKeys: [] }), behind: tree },
      { requiredKeys: [] },
    );
    const layout = fc.record({
      indent: fc.integer({ min: 1, max: 4 }),
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
    });
    fc.assert(
      fc.property(whole, layout, (value, options) => {
        const text = stringify(value, options);
        const was = parse(text) as { replicated?: { namespaces?: unknown[] } };
        const namespaces = [...(was.replicated?.namespaces ?? []), item];
        assert.deepEqual(parse(withItem(text, path, item)), { ...was, replicated: { ...was.replicated, namespaces } });
      }),
    );
  });

  for (const [what, text, why] of [
    ['what is no list', 'replicated:\n  namespaces: 5\n', /replicated\.namespaces is no list/],
    ['a list that stands elsewhere', 'x: &l [1]\nreplicated:\n  namespaces: *l\n', /cannot be added to/],
    ['what is no YAML', 'a: b: c\n', /Nested mappings/],
  ] as const) {
    it(`is refused for ${what}`, () => {
      assert.throws(() => withItem(text, path, item), why);
    });
  }
});
