import type { Bytes } from '../../config/units.js';
import type { Registry, Sample } from '../base/metrics.js';

/** What there is of the contents of documents: `disk`, those that are held; `memory`, what is at hand for visitors. */
export interface DocumentsUsage {
  readonly store: 'disk' | 'memory';
  readonly bytes: Bytes;
  readonly limit: Bytes;
}

/** Adds how much room the namespaces take that are held here, all together; nothing where none is. */
export function describeDocuments(registry: Registry, documents: () => readonly DocumentsUsage[]): void {
  const families: readonly [name: string, help: string, value: (of: DocumentsUsage) => Bytes][] = [
    [
      'willis_documents_bytes',
      'In use for documents: contents on disk, contents and heads in memory.',
      (of) => of.bytes,
    ],
    ['willis_documents_limit_bytes', 'How much may be used.', (of) => of.limit],
  ];
  for (const [name, help, value] of families) {
    const read = (): Sample[] => documents().map((of) => ({ labels: [of.store], value: value(of) }));
    registry.add({ type: 'gauge', name, help, labels: ['store'], read });
  }
}
