import { crc32 } from 'node:zlib';
import { bytes, epochMs, seconds, type Bytes } from '../../../config/units.js';
import { Fields } from '../../http/fields.js';
import type { Source } from '../../http/provenance.js';
import type { ResponseDirectives } from '../cache-control.js';
import type { CacheKey } from '../cache-key.js';
import type { Freshness } from '../freshness.js';
import type { Generation } from '../response-store.js';
import type { ResponseMetadata } from '../stored-response.js';
import { DiskResponse, type DiskContent } from './disk-response.js';
import type { GroupMarks } from './group-marks.js';
import type { Segment } from './segment.js';

/** What the index has under a cache key. */
export interface KeyRecord {
  /** When, in the order of uses and versions of the store, its use was recorded last, and in which hour of the clock. */
  readonly use: number;
  readonly hour: number;
  /** The list of uses that it is in: of its class of retention, or '' for the ordinary one. */
  readonly list: string;
  /** The most recently stored or freshened first. */
  readonly responses: readonly DiskResponse[];
}

/** Of this process, and what of the past is not to be trusted. */
export interface RecordReading {
  readonly run: string;
  /** What was stored or freshened before is to be validated before its next use. */
  readonly floor: number;
  /** Null: none. */
  readonly marks: GroupMarks | null;
}

const version = 1;

/**
 * A record as the index keeps it. The CRC covers the key too: the index itself does not check what it reads.
 *
 *     CRC-32 of cache key and JSON (4, big-endian)   JSON [version, use, hour, responses, list]
 */
export function encodeRecord(key: CacheKey, { use, hour, list, responses }: KeyRecord): Buffer {
  const json = Buffer.from(JSON.stringify([version, use, hour, responses.map(packResponse), list]));
  const value = Buffer.allocUnsafe(4 + json.length);
  value.writeUInt32BE(checksum(key, json));
  json.copy(value, 4);
  return value;
}

/** Null if it is not what it should be. */
export function decodeRecord(key: CacheKey, value: Buffer, reading: RecordReading): KeyRecord | null {
  const json = value.subarray(4);
  if (value.length < 4 || value.readUInt32BE() !== checksum(key, json)) return null;
  const [written, use, hour, responses, list = ''] = JSON.parse(json.toString()) as PackedRecord;
  if (written !== version) return null;
  return { use, hour, list, responses: responses.map((one) => unpackResponse(key, one, reading)) };
}

/** Without a list as format 1 has it. */
type PackedRecord = [number, number, number, unknown[], string?];

const checksum = (key: CacheKey, json: Buffer): number => crc32(json, crc32(key));

/** One response as a list of values that JSON knows, for records and for the headers of files. */
export function packResponse(response: DiskResponse): unknown {
  const { status, reason, fields, selecting, requestTime, responseTime, freshness, groups, content } = response;
  const { id, sequence, run, generation, segments, length, trailers, invalidated } = content;
  return [
    ...[status, reason, fields.lines, selecting.names, selecting.values, requestTime, responseTime],
    ...[packFreshness(freshness), groups, id, sequence, run, generation, segments.map(packSegment)],
    ...[length, trailers.lines, invalidated],
    ...packOrigin(response),
  ];
}

/** What the file of a segment says of the response, as it was when the file was begun. */
export function fileDescription(
  metadata: ResponseMetadata,
  generation: Generation,
  length: Bytes | null,
  run: string,
): unknown {
  const made = { id: '', sequence: 0, run, generation, segments: [], invalidated: false };
  const described = new DiskResponse(metadata, { ...made, length, trailers: Fields.none });
  return { key: metadata.key, length, packed: packResponse(described) };
}

export function unpackResponse(key: CacheKey, packed: unknown, { run, floor, marks }: RecordReading): DiskResponse {
  const [status, reason, lines, names, values, requestTime, responseTime, freshness, groups, id, ...rest] =
    packed as PackedResponse;
  const [sequence, writer, generation, segments, length, trailers, invalidated, contentName, source] = rest;
  const content: DiskContent = {
    id,
    sequence,
    run: writer,
    // the order of purges begins with the process: what was stored before is older than all of them
    generation: (writer === run ? generation : 0) as Generation,
    segments: segments.map(unpackSegment),
    length: length === null ? null : bytes(length),
    trailers: trailers.length === 0 ? Fields.none : new Fields(trailers),
    invalidated:
      invalidated || sequence < floor || (groups.length > 0 && marks?.isAfter({ key, groups }, sequence) === true),
  };
  const metadata = {
    key,
    status,
    reason,
    fields: new Fields(lines),
    selecting: { names, values },
    requestTime: epochMs(requestTime),
    responseTime: epochMs(responseTime),
    freshness: unpackFreshness(freshness),
    groups,
    source: source === undefined ? null : unpackSource(source),
    contentName: contentName ?? undefined,
  };
  return new DiskResponse(metadata, content);
}

type PackedResponse = [
  ...[number, string, string[], string[], (string | null)[], number, number, unknown, string[], string],
  ...[number, string, number, unknown[], number | null, string[], boolean],
  contentName?: string | null,
  source?: PackedSource,
];

/** At the end, and only as far as there is something to say: records of before have neither. */
function packOrigin({ contentName, source }: DiskResponse): unknown[] {
  if (source === null) return contentName === undefined ? [] : [contentName];
  const { url, role, version, isUnconfirmed } = source;
  return [contentName ?? null, [url, role, version === null ? null : [version.epoch, version.seq], isUnconfirmed]];
}

function unpackSource([url, role, version, isUnconfirmed]: PackedSource): Source {
  return { url, role, version: version && { epoch: version[0], seq: version[1] }, isUnconfirmed };
}

type PackedSource = [string, Source['role'], [string, number] | null, boolean];

const packFreshness = ({ lifetime, lifetimeSource, initialAge, responseTime, directives }: Freshness): unknown => [
  ...[lifetime, lifetimeSource, initialAge, responseTime],
  directiveNames.map((name) => directives[name]),
];

function unpackFreshness(packed: unknown): Freshness {
  const [lifetime, lifetimeSource, initialAge, responseTime, values] = packed as PackedFreshness;
  return {
    lifetime: seconds(lifetime),
    lifetimeSource,
    initialAge: seconds(initialAge),
    responseTime: epochMs(responseTime),
    directives: unpackDirectives(values as PackedDirectives),
  };
}

/** Written out, because it is done for every look-up. */
const unpackDirectives = (values: PackedDirectives): ResponseDirectives => ({
  source: values[0],
  noStore: values[1],
  private: values[2],
  noCache: values[3],
  public: values[4],
  mustRevalidate: values[5],
  proxyRevalidate: values[6],
  mustUnderstand: values[7],
  noTransform: values[8],
  maxAge: values[9],
  sMaxage: values[10],
  staleWhileRevalidate: values[11],
  staleIfError: values[12],
});

type D = ResponseDirectives;
type PackedDirectives = [
  ...[D['source'], D['noStore'], D['private'], D['noCache'], D['public'], D['mustRevalidate'], D['proxyRevalidate']],
  ...[D['mustUnderstand'], D['noTransform'], D['maxAge'], D['sMaxage'], D['staleWhileRevalidate'], D['staleIfError']],
];

type PackedFreshness = [number, Freshness['lifetimeSource'], number, number, unknown[]];

/** In the order in which version 1 has them. */
const directiveNames = [
  ...(['source', 'noStore', 'private', 'noCache', 'public', 'mustRevalidate', 'proxyRevalidate'] as const),
  ...(['mustUnderstand', 'noTransform', 'maxAge', 'sMaxage', 'staleWhileRevalidate', 'staleIfError'] as const),
] satisfies readonly (keyof ResponseDirectives)[];

const packSegment = ({ id, inline, from, length, blockSize, offset, digest }: Segment): unknown => [
  ...[id, inline ? 1 : 0, from, length, blockSize, offset, digest],
];

function unpackSegment(packed: unknown): Segment {
  const [id, inline, from, length, blockSize, offset, digest] = packed as PackedSegment;
  return {
    id,
    inline: inline === 1,
    from: bytes(from),
    length: bytes(length),
    blockSize: bytes(blockSize),
    offset: bytes(offset),
    digest,
  };
}

type PackedSegment = [string, number, number, number, number, number, string];
