import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Connection } from '../../proxy/http/connection.js';
import { SpareConnections } from '../../proxy/http/spare-connections.js';

/** A connection, as far as it is looked at here. */
const connection = (gives: boolean, asked: () => void = () => undefined): Connection => {
  const giveWay = (): boolean => {
    asked();
    return gives;
  };
  return { giveWay } as unknown as Connection;
};

describe('spare connections', () => {
  it('the one that was opened first and gives way is ended', () => {
    const looks: number[] = [];
    const all = new Map([0, 1, 2].map((i) => [i, connection(i > 0, () => looks.push(i))]));
    assert.equal(new SpareConnections(all).endOne(), true);
    assert.deepEqual(looks, [0, 1]);
  });

  it('a search goes on where the one before has ended, until it is rewound', () => {
    const looks: number[] = [];
    const all = new Map(Array.from({ length: 100 }, (_, i) => [i, connection(i % 10 === 9, () => looks.push(i))]));
    const spare = new SpareConnections(all);
    for (let i = 0; i < 3; i++) spare.endOne();
    assert.deepEqual([looks.length, looks.at(-1)], [30, 29]);
    spare.rewind();
    spare.endOne();
    assert.deepEqual(looks.slice(30), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('nobody is found where nobody gives way', () => {
    assert.equal(new SpareConnections(new Map([[0, connection(false)]])).endOne(), false);
    assert.equal(new SpareConnections(new Map([[0, null]])).endOne(), false);
    assert.equal(new SpareConnections(new Map()).endOne(), false);
  });

  it('connections that are gone are kept alive neither before the first search nor after rewinding', async () => {
    const all = new Map<number, Connection>();
    const spare = new SpareConnections(all);
    // the map is built anew as it fills up, and an old one would stay with what was in it
    const comeAndGo = (): WeakRef<Connection>[] => {
      const seen: WeakRef<Connection>[] = [];
      for (let i = 0; i < 1000; i++) {
        const one = connection(false);
        seen.push(new WeakRef(one));
        all.set(i, one);
        all.delete(i - 10);
        if (i === 500) spare.endOne();
      }
      return seen;
    };
    const before = comeAndGo();
    spare.rewind();
    all.clear();
    // what a weak reference was made to, or asked for, stays until the end of the turn
    await turn();
    collectGarbage();
    assert.equal(before.filter((one) => one.deref() !== undefined).length, 0);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
