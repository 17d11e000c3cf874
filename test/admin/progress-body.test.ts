import assert from 'node:assert/strict';
import { milliseconds } from '../../config/units.js';
import { ProgressBody } from '../../proxy/admin/progress-body.js';

describe('content that tells of work', () => {
  let tell: (progress: number) => void;
  let end: (result: string) => void;
  let fail: (error: Error) => void;
  let signal: AbortSignal;

  const begin = (every = 1): ProgressBody<number, string> =>
    new ProgressBody<number, string>({
      begin: (given, onProgress) => {
        signal = given;
        tell = onProgress;
        return new Promise((resolve, reject) => {
          [end, fail] = [resolve, reject];
        });
      },
      every: milliseconds(every),
    });

  const line = async (body: ProgressBody<number, string>): Promise<unknown> => {
    const chunk = await body.read();
    assert.equal(chunk?.at(-1), 10, 'it is a line');
    return JSON.parse(chunk.toString());
  };

  it('says that it has begun, how far it is and that it goes on, and what came of it', async () => {
    const body = begin();
    assert.deepEqual(await line(body), { type: 'begun' });
    assert.deepEqual(await line(body), { type: 'progress', progress: null });
    tell(7);
    assert.deepEqual(await line(body), { type: 'progress', progress: 7 });
    assert.deepEqual(await line(body), { type: 'progress', progress: 7 });
    const last = body.read();
    end('all');
    const said = [JSON.parse(String(await last)), ...(await rest(body))] as { type: string }[];
    assert.deepEqual(said.at(-1), { type: 'done', result: 'all' });
    assert.equal(await body.read(), null);
  });

  it('says why it failed', async () => {
    const body = begin(1_000_000);
    fail(new Error('the disk fails'));
    assert.deepEqual(await rest(body), [{ type: 'begun' }, { type: 'failed', detail: 'the disk fails' }]);
  });

  it('keeps of what is not read no more than where it began, where it is, and how it ended', async () => {
    const body = begin();
    for (let i = 0; i < 5; i++) {
      tell(i);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    end('all');
    await new Promise((resolve) => setTimeout(resolve, 2));
    const said = await rest(body);
    assert.ok(said.length <= 2, JSON.stringify(said));
    assert.deepEqual([said[0], said.at(-1)], [{ type: 'begun' }, { type: 'done', result: 'all' }]);
  });

  it('ends the work when its reader gives up', async () => {
    const body = begin(1_000_000);
    await line(body);
    const waiting = body.read();
    body.cancel();
    assert.equal(signal.aborted, true);
    assert.equal(await waiting, null);
    end('too late');
    assert.equal(await body.read(), null);
  });

  it('is not begun if the work may not begin', () => {
    const refuse = (): never => {
      throw new Error('busy');
    };
    assert.throws(() => new ProgressBody({ begin: refuse, every: milliseconds(1) }), /busy/);
  });
});

async function rest(body: ProgressBody<number, string>): Promise<unknown[]> {
  const lines: unknown[] = [];
  for (let chunk = await body.read(); chunk !== null; chunk = await body.read())
    lines.push(JSON.parse(chunk.toString()));
  return lines;
}
