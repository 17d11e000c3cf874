import { explainChoice, type ChoiceExplanation } from '../../../wlis/choice/choice-explanation.js';
import type { Question } from '../../../wlis/choice/choice.js';
import type { NamespaceFinder } from '../../../wlis/directory/known-namespace.js';
import { documentPathIn } from '../../../wlis/requested-path.js';
import type { Clock } from '../../base/clock.js';
import type { TargetUri } from '../../http/target-uri.js';
import type { ChoiceLayer } from './choice-layer.js';

export interface ExplainedBy {
  readonly choice: Pick<ChoiceLayer, 'chooser'>;
  /** Null while nothing is known yet. Of its book, since to be talked about is not to be used. */
  readonly directory: { readonly book: NamespaceFinder } | null;
}

/** From whom a target would be got now, and why; null if it belongs to no namespace that is known. */
export function choiceExplained(target: TargetUri, by: ExplainedBy, clock: Clock): ChoiceExplanation | null {
  const known = by.directory?.book.of(target) ?? null;
  if (known === null) return null;
  const path = documentPathIn(target, known.namespace);
  if (path === null) return null;
  const uri = known.namespace + path;
  const question: Question = { uri, path, size: null, client: '', now: clock.monotonic() };
  return explainChoice(by.choice.chooser, known, question);
}
