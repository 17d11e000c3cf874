import { contentOf } from '../content.js';

/** What an origin server of the harness has under a path; its versions follow one another. */
export interface Resource {
  readonly path: string;
  readonly length: number;
  /** In seconds; 0: to be validated before every use. */
  readonly lifetime: number;
  /** Languages that it is to be had in; one: the request does not matter. */
  readonly languages: readonly string[];
  readonly groups: readonly string[];
  /** Whether its length is said before its end. */
  readonly isLengthKnown: boolean;
}

/** Longer than any test. */
const long = 1_000_000;

const lengths = [0, 1, 300, 5_000, 16_384, 16_385, 40_000, 65_536, 65_537, 150_000, 300_000, 900_000, 1_500_000];

export const resources: readonly Resource[] = Array.from({ length: 110 }, (_, i) => ({
  path: `/${i % 3}/${i}`,
  length: lengths[i % lengths.length] as number,
  lifetime: i % 7 === 3 ? 0 : i % 7 === 5 ? 1 : long,
  languages: i % 5 === 0 ? ['en', 'de'] : ['en'],
  groups: i % 4 === 0 ? ['news'] : i % 4 === 1 ? ['news', 'shop'] : [],
  isLengthKnown: i % 6 !== 1,
}));

export const resourceAt = (path: string): Resource | undefined => resources.find((one) => one.path === path);

/** Whether it is stored for good once it is stored. */
export const isLasting = ({ lifetime }: Resource): boolean => lifetime === long;

/** Which of its representations a request is for. */
export const slotOf = ({ path, languages }: Resource, language: string): string =>
  languages.length === 1 ? path : `${path} ${language}`;

export const bodyOf = (resource: Resource, language: string, version: number, from: number, to: number): Buffer =>
  contentOf(slotOf(resource, language), version, from, to);

export const tagOf = (resource: Resource, language: string, version: number): string =>
  `"${version}${resource.languages.length === 1 ? '' : language}"`;
