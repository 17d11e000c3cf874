import type { FamilySnapshot, HistogramSnapshot, SampleSnapshot } from './metrics.js';

/** The media type of `metricsText`. */
export const metricsTextType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Prometheus' text format, version 0.0.4. Families without samples are left out.
 *
 *     # HELP willis_requests_total Requests answered.
 *     # TYPE willis_requests_total counter
 *     willis_requests_total{side="site",outcome="hit"} 12
 */
export function metricsText(families: readonly FamilySnapshot[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('');
}

function familyText({ name, help, type, samples }: FamilySnapshot): string {
  const lines = samples.flatMap((sample) => sampleLines(name, sample));
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function sampleLines(name: string, { labels, value }: SampleSnapshot): string[] {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${quoted(text)}"`);
  return typeof value === 'number' ? [line(name, pairs, value)] : histogramLines(name, pairs, value);
}

function histogramLines(name: string, pairs: readonly string[], { count, sum, buckets }: HistogramSnapshot): string[] {
  return [
    ...buckets.map((bucket) => line(`${name}_bucket`, [...pairs, `le="${numeral(bucket.le)}"`], bucket.count)),
    line(`${name}_bucket`, [...pairs, 'le="+Inf"'], count),
    line(`${name}_sum`, pairs, sum),
    line(`${name}_count`, pairs, count),
  ];
}

function line(name: string, pairs: readonly string[], value: number): string {
  const labels = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  return `${name}${labels} ${numeral(value)}\n`;
}

function numeral(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const quoted = (text: string): string => escaped(text).replaceAll('"', '\\"');
