import { bytes, type Bytes } from '../../config/units.js';
import { parseOriginUri } from '../../config/origin-uri.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import type { Digest } from '../trust/digest.js';
import {
  mostMirrors,
  shown,
  type ListFault,
  type ListedFile,
  type ListedUrl,
  type ReadList,
} from './listed-mirrors.js';
import { parseXml, type XmlElement } from './xml-elements.js';

/** A metalink of version 4 (RFC 5854) or 3: the files in it, each with its size, its SHA-256 and where it is. */
export function parseMetalink(text: string): ReadList {
  const root = parseXml(text);
  if ('problem' in root) return { faults: [{ line: root.line, expected: 'XML', got: root.problem }] };
  const reader = new MetalinkReader();
  return reader.read(root);
}

const mostFiles = 10_000;

class MetalinkReader {
  readonly #faults: ListFault[] = [];

  read(root: XmlElement): ReadList {
    const files = this.#filesOf(root).map((element) => this.#file(element));
    if (root.name === 'metalink' && files.length === 0) this.#fault(root, 'a <file>', 'none');
    if (files.length > mostFiles) this.#fault(root, `at most ${mostFiles} files`, String(files.length));
    return this.#faults.length > 0 ? { faults: this.#faults } : { list: { mirrors: [], files: files.filter(isRead) } };
  }

  /** Version 3 has them below `files`. */
  #filesOf(root: XmlElement): XmlElement[] {
    if (root.name !== 'metalink') {
      this.#fault(root, 'a <metalink>', `<${root.name}>`);
      return [];
    }
    return [root, ...below(root, 'files')].flatMap((parent) => below(parent, 'file'));
  }

  #file(element: XmlElement): ListedFile | null {
    const path = this.#path(element);
    const sizes = below(element, 'size');
    const hashes = [element, ...below(element, 'verification')].flatMap((parent) => below(parent, 'hash'));
    const places = [element, ...below(element, 'resources')].flatMap((parent) => below(parent, 'url'));
    const urls = places.map((place) => this.#url(place)).filter(isRead);
    if (places.length > mostMirrors) this.#fault(element, `at most ${mostMirrors} URLs`, String(places.length));
    const length = sizes[0] === undefined ? null : this.#size(sizes[0]);
    return path === null ? null : { path, length, digest: this.#digest(hashes), urls };
  }

  /** RFC 5854 §4.1.2.1: a name may have directories, but leads nowhere else. */
  #path(element: XmlElement): string | null {
    const name = element.attributes.get('name') ?? '';
    const isSafe = name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    if (isSafe && name.length <= 1000 && !/[\\\0\p{Surrogate}]/u.test(name))
      return encodeURI(name).replaceAll('?', '%3F').replaceAll('#', '%23');
    this.#fault(element, 'a <file> with the name of a file', shown(name));
    return null;
  }

  #size(element: XmlElement): Bytes | null {
    if (/^\d{1,15}$/.test(element.text)) return bytes(Number(element.text));
    this.#fault(element, 'a size in bytes', shown(element.text));
    return null;
  }

  /** Others than SHA-256 are passed over: they are weak, or nobody has only them. */
  #digest(hashes: readonly XmlElement[]): Digest | null {
    const ours = hashes.filter(({ attributes }) => /^sha-?256$/i.test(attributes.get('type') ?? ''));
    const [hash, other] = ours;
    if (hash === undefined) return null;
    const digest = hash.text.toLowerCase();
    if (!/^[\da-f]{64}$/.test(digest)) this.#fault(hash, 'a SHA-256 in hexadecimal', shown(hash.text));
    if (other !== undefined && other.text.toLowerCase() !== digest) this.#fault(other, 'one SHA-256', 'another one');
    return digest as Digest;
  }

  /** Null for what is not reached by HTTP. */
  #url(element: XmlElement): ListedUrl | null {
    const { text, attributes } = element;
    if (!/^https?:/i.test(text)) {
      if (!/^[a-z][a-z\d+.-]*:\S+$/i.test(text)) this.#fault(element, 'a URL', shown(text));
      return null;
    }
    const target = targetOf(text);
    if (typeof target === 'string') {
      this.#fault(element, target, shown(text));
      return null;
    }
    const area = (attributes.get('location') ?? '').toLowerCase();
    return { target, area: /^[a-z]{2}$/.test(area) ? area : null };
  }

  #fault({ line }: XmlElement, expected: string, got: string): void {
    this.#faults.push({ line, expected, got });
  }
}

const isRead = <T>(value: T | null): value is T => value !== null;

const below = ({ children }: XmlElement, name: string): XmlElement[] => children.filter((child) => child.name === name);

/** The URL of a file, or what was expected. */
function targetOf(text: string): TargetUri | string {
  // what is said of a URL that ends in a slash holds for the directory that it is in
  const directory = parseOriginUri(text.slice(0, text.lastIndexOf('/') + 1));
  if (typeof directory === 'string') return directory;
  if (/[?#\s\\]/.test(text)) return 'a URL without a query and a fragment';
  return { ...directory, path: new URL(text).pathname };
}
