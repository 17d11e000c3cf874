import { describeBounds } from './response-store/bounds.js';
import { describeInvalidation } from './response-store/invalidation.js';
import { describeModel } from './response-store/model.js';
import { describeParts } from './response-store/parts.js';
import { describePurging } from './response-store/purging.js';
import { describeRetention } from './response-store/retention.js';
import { describeRetentionModel } from './response-store/retention-model.js';
import type { CreateStore } from './response-store/samples.js';
import { describeWriting } from './response-store/writing.js';

/** What every implementation of `ResponseStore` must do. `createStore` gives an empty store each time. */
export function describeResponseStore(name: string, createStore: CreateStore): void {
  describe(`${name} as a ResponseStore`, () => {
    describeWriting(createStore);
    describeParts(createStore);
    describeInvalidation(createStore);
    describePurging(createStore);
    describeBounds(createStore);
    describeRetention(createStore);
    describeModel(createStore);
    describeRetentionModel(createStore);
  });
}
