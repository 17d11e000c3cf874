import assert from 'node:assert/strict';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import type { IncomingResponse, OutgoingRequest, Upstream } from '../../../proxy/forward/upstream.js';
import { Fields } from '../../../proxy/http/fields.js';
import { choosing, ChosenUpstream, isOfChoice, unmarked } from '../../../wlis/choice/chosen-source.js';

const target = { scheme: 'http', host: 'docs.example', port: 80, authority: 'docs.example', path: '/' } as const;

describe('an upstream for those who have chosen', () => {
  const sent: OutgoingRequest[] = [];
  const asked = (
    fields: Fields,
    answer: Partial<IncomingResponse> = {},
    server = 'primary',
  ): Promise<IncomingResponse> => {
    const upstream: Upstream = {
      forward: (request) => {
        sent.push(request);
        const usual = {
          status: 200,
          reason: '',
          version: '1.1' as const,
          fields: Fields.of({ Vary: 'Accept' }),
          body: null,
        };
        return Promise.resolve({ ...usual, ...answer });
      },
      close: () => Promise.resolve(),
    };
    return new ChosenUpstream(upstream, server).forward(
      { method: 'GET', target, fields, body: null },
      { cancellation: new Cancellation() },
    );
  };

  it('takes the choice out of the fields, and tells it', async () => {
    const server = 'http://m1.example';
    await asked(choosing(Fields.of({ Accept: '*/*', 'wlis-from': 'http://evil.example' }), server), {}, server);
    const last = sent.at(-1);
    assert.deepEqual([last?.from, last?.fields.lines], ['http://m1.example', ['Accept', '*/*']]);
  });

  it('obeys also where a client has had the field left out, as one for its connection alone', async () => {
    const { fields } = await asked(Fields.of({ Accept: '*/*' }));
    assert.deepEqual([sent.at(-1)?.from, fields.all('vary')], ['primary', ['Accept', 'WLIS-From']]);
  });

  it('says that the answer varies by it, and others do not see that', async () => {
    const { fields } = await asked(choosing(Fields.none, 'primary'));
    assert.deepEqual(fields.all('vary'), ['Accept', 'WLIS-From']);
    assert.deepEqual(unmarked(fields).lines, ['Vary', 'Accept']);
  });

  it('leaves a 304 as it is that says nothing of it, so that what is stored keeps all that it varies by', async () => {
    assert.deepEqual(
      (await asked(choosing(Fields.none, 'primary'), { status: 304, fields: Fields.none })).fields.lines,
      [],
    );
    assert.deepEqual((await asked(choosing(Fields.none, 'primary'), { status: 304 })).fields.all('vary'), [
      'Accept',
      'WLIS-From',
    ]);
  });

  it('knows whose choice something stored was got by', () => {
    const stored = { selecting: { names: ['accept', 'wlis-from'], values: [null, 'primary'] } };
    assert.deepEqual([isOfChoice(stored, 'primary'), isOfChoice(stored, 'http://m1.example')], [true, false]);
    assert.equal(isOfChoice({ selecting: { names: [], values: [] } }, 'primary'), false);
  });
});
