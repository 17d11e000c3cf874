import { CallProblem } from '../../wlis/calls/call-problem.js';
import type { SearchControl } from '../../wlis/search/search-control.js';
import { answered } from '../../wlis/search/answered-search.js';
import { parseSearchRequest } from '../../wlis/search/search-request.js';
import { searchJson, type SearchJson } from '../../wlis/search/search-text.js';
import { WillisError } from '../base/errors.js';
import type { Request } from '../http/message.js';

/** `GET /api/search?q=…`: what anybody finds at the public side as well, where that is not opened, or not known. */
export class OperatorSearch {
  constructor(private readonly control: SearchControl) {}

  /** @throws (rejects with) WillisError bad-request, not-found, too-busy */
  async find({ target }: Pick<Request, 'target'>): Promise<SearchJson> {
    const { control } = this;
    if (!control.isOn) throw new WillisError('not-found', noIndex);
    try {
      const searched = control.namespaces.map(({ namespace }) => namespace);
      const request = parseSearchRequest(target.path, searched);
      if (request.typed === '') throw new WillisError('bad-request', "there is no 'q'");
      return searchJson(request, await answered(control, request), (place) => control.mirrorOf(place));
    } catch (error) {
      if (!(error instanceof CallProblem)) throw error;
      throw new WillisError(codes[error.status] ?? 'bad-request', error.message, { cause: error });
    }
  }
}

const codes: Readonly<Record<number, 'not-found' | 'too-busy'>> = { 404: 'not-found', 503: 'too-busy' };

const noIndex = 'this node keeps no index of pages: it has not the role wlis, or no memory for that';
