import type { MirrorGround } from '../../wlis/mirrors/mirror-errand.js';
import type { Registry } from '../base/metrics.js';

/** Adds what is known, and what has become, of documents that have mirrors. */
export function describeMirrors(
  registry: Registry,
  { counts, learned, unusable, trials }: Pick<MirrorGround, 'counts' | 'learned' | 'unusable' | 'trials'>,
): void {
  registry.readEach({
    ...{ type: 'counter', name: 'willis_mirror_answers_total' },
    help: 'Answers for documents that have mirrors, by whose bytes came first: original, mirror, or memory for none.',
    of: counts.answers,
    value: ({ value }) => value,
  });
  registry.readEach({
    ...{ type: 'counter', name: 'willis_mirror_passed_over_total' },
    help: 'Mirrors that were asked in vain, or known to have no usable copy.',
    of: counts.passedOver,
    value: ({ value }) => value,
  });
  registry.read({
    ...{ type: 'counter', name: 'willis_mirror_continued_total' },
    help: 'Contents that broke off at one server and went on at another.',
    value: () => counts.continued.value,
  });
  const gauges = [
    [
      'willis_mirror_learned_documents',
      'Documents of which it is known what the original said.',
      () => learned.documents,
    ],
    ['willis_mirror_learned_bytes', 'Memory for what originals have said of their documents.', () => learned.size],
    ['willis_mirror_learned_limit_bytes', 'Most memory for it.', () => learned.limit],
    [
      'willis_mirror_unusable',
      'Copies at mirrors that were found to be others than those of the original.',
      () => unusable.size,
    ],
    ['willis_mirror_trials', 'Servers that are being tried because they failed.', () => trials.size],
  ] as const;
  for (const [name, help, value] of gauges) registry.read({ type: 'gauge', name, help, value });
}
