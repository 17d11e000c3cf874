import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatOriginUri } from '../../../config/origin-uri.js';
import { hrefOf } from '../../../proxy/http/target-uri.js';
import type { ListFault, MirrorList } from '../../../wlis/mirrors/listed-mirrors.js';
import { parseMirrorList } from '../../../wlis/mirrors/mirror-list.js';

const digest = 'a'.repeat(64);

const listIn = (text: string): MirrorList => {
  const read = parseMirrorList(text);
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  return read.list;
};
const faultsIn = (text: string): readonly ListFault[] => {
  const read = parseMirrorList(text);
  return 'faults' in read ? read.faults : [];
};
const mirrorsIn = (text: string): string[] => listIn(text).mirrors.map(({ uri }) => formatOriginUri(uri));

const metalink4 = `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <published>2026-01-01T00:00:00Z</published>
  <file name="iso/big file.iso">
    <size>1234</size>
    <hash type="md5">0123</hash>
    <hash type="sha-256">${digest.toUpperCase()}</hash>
    <pieces length="1000" type="sha-256"><hash>${digest}</hash></pieces>
    <url location="de" priority="1">http://m1.example/pub/iso/big%20file.iso</url>
    <url priority="2">https://m2.example:8443/x.iso</url>
    <url>ftp://m3.example/iso/x.iso</url>
    <metaurl mediatype="torrent">http://t.example/x.torrent</metaurl>
  </file>
</metalink>`;

const metalink3 = `<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files>
  <file name="repomd.xml">
   <mm0:timestamp>1</mm0:timestamp>
   <size>5000</size>
   <verification><hash type="sha256">${digest}</hash><hash type="sha512">b</hash></verification>
   <resources maxconnections="1">
    <url protocol="http" type="http" location="US" preference="99">http://m1.example/linux/repodata/repomd.xml</url>
    <url protocol="rsync" type="rsync" preference="100">rsync://m2.example/linux/repodata/repomd.xml</url>
   </resources>
  </file>
 </files>
</metalink>`;

describe('a file that names mirrors', () => {
  describe('with one URL in each line', () => {
    it('may have comments, blank lines, final blanks, and no slash at the end', () => {
      const text = '# mirrors\r\n\r\nhttp://a.example/debian/\r\n  https://B.example:443/x\t \n   # more\n';
      assert.deepEqual(mirrorsIn(text), ['http://a.example/debian/', 'https://b.example/x/']);
    });

    it("may be apt's, with settings behind the URL", () => {
      assert.deepEqual(mirrorsIn('http://a.example/debian/\tpriority:1 arch:amd64\n'), ['http://a.example/debian/']);
    });

    it("may be pacman's, with variables behind what all have in common", () => {
      const text =
        '## Germany\n#Server = https://no.example/$repo/os/$arch\nServer = https://a.example/arch/$repo/os/$arch\n';
      assert.deepEqual(mirrorsIn(text), ['https://a.example/arch/']);
    });

    it('may have mirrors that are not reached by HTTP, which are passed over', () => {
      assert.deepEqual(mirrorsIn('ftp://a.example/\nrsync://b.example/x\nhttp://c.example/\n'), ['http://c.example/']);
    });

    it('is refused with each line that cannot stand', () => {
      assert.deepEqual(faultsIn('http://a.example/\nnonsense\nhttp://u:p@b.example/\nhttp://c.example/?x\n'), [
        { line: 2, expected: 'an http or https URL', got: '"nonsense"' },
        { line: 3, expected: 'a URL without user and password', got: '"http://u:p@b.example/"' },
        { line: 4, expected: 'a URL without a query and a fragment', got: '"http://c.example/?x"' },
      ]);
    });

    it('is refused if it names none, or more than anybody has', () => {
      for (const text of ['', '# nothing\n', 'ftp://a.example/\n']) {
        assert.deepEqual(
          faultsIn(text).map(({ expected }) => expected),
          ['a mirror with an http or https URL'],
        );
      }
      const many = Array.from({ length: 1001 }, (_, index) => `http://m${index}.example/`).join('\n');
      assert.deepEqual(faultsIn(many), [{ line: 1001, expected: 'at most 1000 mirrors', got: '1001' }]);
    });
  });

  describe('that is a metalink', () => {
    it('of version 4 says the size, the SHA-256 and the places of each file (RFC 5854)', () => {
      const { mirrors, files } = listIn(metalink4);
      const [file] = files;
      assert.deepEqual([mirrors.length, files.length, file?.path], [0, 1, 'iso/big%20file.iso']);
      assert.deepEqual([file?.length, file?.digest], [1234, digest]);
      assert.deepEqual(
        file?.urls.map(({ target, area }) => [hrefOf(target), area]),
        [
          ['http://m1.example/pub/iso/big%20file.iso', 'de'],
          ['https://m2.example:8443/x.iso', null],
        ],
      );
    });

    it('of version 3 says it in other places', () => {
      const [file] = listIn(metalink3).files;
      assert.deepEqual([file?.path, file?.length, file?.digest], ['repomd.xml', 5000, digest]);
      assert.deepEqual(
        file?.urls.map(({ target, area }) => [hrefOf(target), area]),
        [['http://m1.example/linux/repodata/repomd.xml', 'us']],
      );
    });

    it('may begin with a byte order mark, and have no digest', () => {
      const [file] = listIn('\uFEFF<metalink><file name="a"><url>http://a.example/a</url></file></metalink>').files;
      assert.deepEqual([file?.digest, file?.length], [null, null]);
    });

    for (const [problem, text, line, got] of [
      ['that is another document', '<html></html>', 1, '<html>'],
      ['without a file', '<metalink>\n</metalink>', 1, 'none'],
      ['with a name that leads elsewhere', '<metalink>\n<file name="../a"/>\n</metalink>', 2, '"../a"'],
      ['with a name that begins at the root', '<metalink><file name="/etc/x"/></metalink>', 1, '"/etc/x"'],
      ['with a file without a name', '<metalink><file/></metalink>', 1, '""'],
      ['with a size that is none', '<metalink><file name="a">\n\n<size>-1</size></file></metalink>', 3, '"-1"'],
      [
        'with a digest that is none',
        '<metalink><file name="a"><hash type="sha-256">ab</hash></file></metalink>',
        1,
        '"ab"',
      ],
      ['with a URL that is none', '<metalink><file name="a">\n<url>a b</url></file></metalink>', 2, '"a b"'],
      [
        'with a URL with a query',
        '<metalink><file name="a"><url>http://a.example/a?b</url></file></metalink>',
        1,
        '"http://a.example/a?b"',
      ],
      ['that breaks off', '<metalink>\n<file name="a">\n<url>http://a.ex', 3, '<url> is not closed'],
      ['with elements that overlap', '<metalink>\n<a><b></a></b></metalink>', 2, '<b> is not closed'],
      ['with a closing tag of nothing', '<metalink>\n</x></metalink>', 2, 'a closing tag of nothing'],
      ['with two roots', '<metalink/>\n<metalink/>', 2, 'a second root element'],
      ['with text beside the root', '<metalink/>\ntext', 1, 'text beside the root element'],
      ['with entities of its own', '<!DOCTYPE x [<!ENTITY a "b">]>\n<metalink/>', 1, 'a document type declaration'],
      ['that is too deep', '<a>'.repeat(17), 1, 'elements more than 16 deep'],
    ] as const) {
      it(`${problem} is refused, with the line`, () => {
        const [fault] = faultsIn(text);
        assert.deepEqual([fault?.line, fault?.got], [line, got]);
      });
    }

    it('of more elements than any list has is refused before it takes much', () => {
      assert.deepEqual(
        faultsIn(`<metalink>${'<x/>'.repeat(200_001)}</metalink>`).map(({ got }) => got),
        ['more than 200000 elements'],
      );
    });
  });

  it('of any other content is read or refused, and nothing else', () => {
    const bit = fc.constantFrom(
      '<',
      '>',
      '</',
      '/>',
      'metalink',
      'file name="a"',
      'url',
      'http://a/',
      '\n',
      '&amp;',
      '<!',
      '<![CDATA[',
      ' ',
      '$',
      'Server =',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(bit, fc.string()), { maxLength: 40 }), (bits) => {
        const read = parseMirrorList(bits.join(''));
        assert.ok(
          'list' in read ? read.list.mirrors.length + read.list.files.length > 0 : read.faults.length > 0,
          'says something',
        );
      }),
      { numRuns: 500 },
    );
  });
});
