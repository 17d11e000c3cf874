import { Cancellation } from '../base/cancellation.js';
import { emptyRecord } from '../http/exchange-record.js';
import type { Fields } from '../http/fields.js';
import type { Visit } from './visit.js';

/** The same question asked on the cache's own behalf: whole, unconditional, and of no interest to any client. */
export function detachedFrom(visit: Visit): Visit {
  const { method, target, form, version, client, receivedAt, id, fields: asked } = visit.request;
  const fields = plain(asked);
  const cancellation = new Cancellation();
  const inform = (): void => undefined;
  const record = emptyRecord();
  return {
    ...visit,
    request: {
      method,
      target,
      form,
      version,
      fields,
      body: null,
      client,
      receivedAt,
      id,
      record,
      cancellation,
      inform,
    },
    route: {
      ...visit.route,
      outgoing: () => {
        const sent = visit.route.outgoing();
        return { target: sent.target, fields: plain(sent.fields) };
      },
    },
  };
}

const plain = (fields: Fields): Fields => fields.without('range', 'if-range', 'if-none-match', 'if-modified-since');
