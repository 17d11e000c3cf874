import { bytes, milliseconds } from '../../../config/units.js';
import { systemClock } from '../../../proxy/base/clock.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { Publication } from '../../../replication/publication.js';
import { DirectorySource } from '../../../replication/source/directory-source.js';
import { compileRules, usualRules } from '../../../replication/source/source-rules.js';
import { parseNamespace } from '../../../wlis/namespace.js';

/** Publishes a directory, and says the number of each change once it is published, until it is killed. */
const [, , site = '', data = ''] = process.argv;
const logger = createLogger({ level: 'silent' });
const blobs = await BlobStore.open({
  ...{ directory: `${data}/blobs`, limit: bytes(1e9), keep: milliseconds(600_000), clock: systemClock },
  onDamaged: () => undefined,
});
const publication = await Publication.open({
  ...{ namespace: parseNamespace('http://site.example/'), path: `${data}/journal`, blobs, clock: systemClock, logger },
  onPublished: (changes) => process.stdout.write(`${changes.at(-1)?.seq ?? 0}\n`),
});
const source = await DirectorySource.open({
  ...{ directory: site, rules: compileRules(usualRules, true), publication, blobs, factsPath: `${data}/facts` },
  ...{ clock: systemClock, logger, scanEvery: milliseconds(60_000) },
  times: { written: milliseconds(50), moved: milliseconds(5), missing: milliseconds(50) },
});
source.start();
setInterval(() => undefined, 60_000);
