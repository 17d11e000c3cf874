import { elapsedMonotonic, toSeconds, type Bytes, type MonotonicMs } from '../../../config/units.js';
import { Histogram, latencyBounds } from '../../base/histogram.js';
import { Labelled } from '../../base/labelled.js';
import { Counter } from '../../base/metrics.js';

/** What there is in an index of pages, and what is not. */
export interface SearchFigures {
  readonly indexed: number;
  /** To be taken. */
  readonly pending: number;
  /** Their contents are not here. */
  readonly lacking: number;
  /** There was no room for them. */
  readonly leftOut: number;
  /** They say that they are not to be found, or nothing can be made out of them. */
  readonly refused: number;
  readonly namespaces: number;
  readonly bytes: Bytes;
  readonly limit: Bytes;
  /** How often an index has been lost, and made anew. */
  readonly lost: number;
}

/** What is counted of questions. */
export class SearchCounts {
  /** By what came of them: `found`, `nothing`, `busy`, `failed`. */
  readonly questions = new Labelled(['result'], () => new Counter(), 8);
  readonly times = new Histogram(latencyBounds);

  answered(isFound: boolean, since: MonotonicMs, now: MonotonicMs): void {
    this.questions.of(isFound ? 'found' : 'nothing').add();
    this.times.observe(toSeconds(elapsedMonotonic(since, now)));
  }

  failed(result: 'busy' | 'failed'): void {
    this.questions.of(result).add();
  }
}
