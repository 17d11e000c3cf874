import assert from 'node:assert/strict';
import fc from 'fast-check';
import { proxyStatus } from '../../proxy/http/proxy-status.js';
import {
  parseDictionary,
  parseItem,
  parseList,
  printable,
  serializeItem,
  Token,
  tokenOrString,
} from '../../proxy/http/structured-fields.js';

describe('Structured Fields (RFC 9651)', () => {
  it('a Dictionary gives its members with their parameters, the last of a key (RFC 9651 §3.2)', () => {
    const dictionary = parseDictionary('max-age=1, no-store;x=?0, a="b, c", t=tok, max-age=60');
    assert.ok(dictionary !== null, 'no dictionary');
    assert.deepEqual([...dictionary.keys()], ['max-age', 'no-store', 'a', 't']);
    assert.equal(dictionary.get('max-age')?.value, 60);
    assert.equal(dictionary.get('no-store')?.value, true);
    assert.equal(dictionary.get('no-store')?.params.get('x'), false);
    assert.equal(dictionary.get('a')?.value, 'b, c');
    assert.ok(dictionary.get('t')?.value instanceof Token, 'not a Token');
  });

  it('an inner list is an array of items (RFC 9651 §3.1.1)', () => {
    const member = parseDictionary('a=(1 "x";q);r=2')?.get('a');
    assert.ok(member !== undefined && Array.isArray(member.value), 'not a list');
    assert.equal(member.params.get('r'), 2);
    assert.equal(parseList('("a" "b"), c')?.length, 2);
  });

  it('if parsing fails, all of it has failed (RFC 9651 §4.2)', () => {
    for (const value of ['Max-Age=1', 'a=1,', 'a=', 'a b', 'a=1;', '"a"=1', 'a=é', "a='b'", 'a=1 max']) {
      assert.equal(parseDictionary(value), null, value);
    }
    for (const value of ['"a', 'a,', '(a', '"é"', 'a;B']) assert.equal(parseList(value), null, value);
    assert.equal(parseItem('a, b'), null);
  });

  it('an empty value is an empty Dictionary or List, and no Item (RFC 9651 §4.2)', () => {
    assert.equal(parseDictionary('')?.size, 0);
    assert.deepEqual(parseList(''), []);
    assert.equal(parseItem(''), null);
  });

  it('a text becomes a Token if it can be one, otherwise a String (RFC 9651 §3.3)', () => {
    assert.equal(serializeItem(tokenOrString('berlin-1')), 'berlin-1');
    assert.equal(serializeItem(tokenOrString('1 "x"\\')), '"1 \\"x\\"\\\\"');
    assert.equal(serializeItem(tokenOrString('')), '""');
    assert.equal(printable('Köln\r\n'), 'K?ln??');
  });

  it('any text can be written, and read back as what is printable of it (RFC 9651 §4.1, §4.2)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), (text, number, flag) => {
        const params = new Map<string, string | number | boolean>([
          ['a', printable(text)],
          ['b', number],
          ['c', flag],
        ]);
        const item = parseItem(serializeItem(printable(text), params));
        assert.deepEqual(item, { value: printable(text), params });
        const named = parseItem(serializeItem(tokenOrString(text)));
        const read = named?.value;
        assert.equal(read instanceof Token ? read.toString() : read, printable(text));
      }),
    );
  });

  it('nothing makes a parser throw (RFC 9651 §4.2)', () => {
    const piece = fc.constantFrom(
      'a',
      'A',
      '=',
      ',',
      ';',
      '"',
      '\\',
      '(',
      ')',
      '1',
      '.',
      '-',
      '?',
      ':',
      '@',
      '%',
      ' ',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        for (const parse of [parseDictionary, parseList, parseItem]) parse(pieces.join(''));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('Proxy-Status (RFC 9209)', () => {
  it('is an Item with the error, the next hop, the received status and details (RFC 9209 §2.1)', () => {
    assert.equal(
      proxyStatus('berlin-1', {
        error: 'connection_refused',
        nextHop: 'origin.example.com',
        receivedStatus: 502,
        detail: 'refused by "10.0.0.1"',
      }),
      'berlin-1;error=connection_refused;next-hop=origin.example.com;received-status=502;details="refused by \\"10.0.0.1\\""',
    );
    assert.equal(proxyStatus('a b', { nextHop: '[2001:db8::1]:80' }), '"a b";next-hop="[2001:db8::1]:80"');
  });

  it('any name and detail give a valid Item of bounded length (RFC 9209 §2)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', maxLength: 500 }), (name, detail) => {
        const item = parseItem(proxyStatus(name, { detail }));
        assert.ok(item !== null, 'no item');
        const details = item.params.get('details');
        assert.ok(typeof details === 'string' && details.length <= 200, JSON.stringify(details));
      }),
    );
  });
});
