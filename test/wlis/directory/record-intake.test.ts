import assert from 'node:assert/strict';
import { createLogger } from '../../../proxy/base/logger.js';
import type { DirectoryRefusals } from '../../../wlis/directory/directory-refusals.js';
import type { DirectorySettings } from '../../../wlis/directory/directory-settings.js';
import type { Founding, Hearsay } from '../../../wlis/directory/founding.js';
import type { NamespaceBook } from '../../../wlis/directory/namespace-book.js';
import { RecordIntake } from '../../../wlis/directory/record-intake.js';
import type { FedRecord } from '../../../wlis/directory/records-format.js';
import type { SignedNames } from '../../../wlis/directory/signed-names.js';

describe('statements that another directory hands on', () => {
  it('are kept for later within bounds: one who sends endless ones fills no memory', async () => {
    const learned: Hearsay[] = [];
    const founding = {
      isLeftAlone: () => false,
      learn: (hearsay: Hearsay) => Promise.resolve(void learned.push(hearsay)).then(() => null),
    };
    const intake = new RecordIntake({
      book: { get: () => null, authority: () => null } as unknown as NamespaceBook,
      founding: founding as unknown as Founding,
      names: {} as unknown as SignedNames,
      refusals: {} as unknown as DirectoryRefusals,
      settings: () => ({ isDirectory: true, roots: new Map() }) as unknown as DirectorySettings,
      allowsUrl: () => true,
      isHeld: () => false,
      logger: createLogger({ level: 'silent', write: () => undefined }),
    });
    const { signal } = new AbortController();
    const page = (i: number): FedRecord[] => [
      { kind: 'group', about: `http://a${i}.example/`, text: 'x'.repeat(4_000_000) },
    ];
    for (let i = 0; i < 10; i++) await intake.take(page(i), 'http://liar.example', signal);
    learned.length = 0;
    await intake.take([], 'http://liar.example', signal);
    const again = learned.map(({ namespace }) => namespace);
    assert.deepEqual(again, ['http://a6.example/', 'http://a7.example/', 'http://a8.example/', 'http://a9.example/']);
  });
});
