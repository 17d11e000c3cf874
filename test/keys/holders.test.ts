import assert from 'node:assert/strict';
import { CallKey } from '../../wlis/call-key.js';
import { parseLoadField } from '../../wlis/piggyback/load-field.js';
import { fromBase64url } from '../../wlis/trust/base64url.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';
import { flips } from './flips.js';

const files = { 'a.txt': 'a' };

/** A member as a group or a node states it. */
interface Stated {
  readonly urls: readonly string[];
  readonly place?: { readonly area?: string; readonly lat?: number; readonly lon?: number };
  readonly capacity: number;
  readonly delegate?: boolean;
}

describe('keys of what nodes say of each other', function () {
  this.timeout(20_000);
  let site: Replicating;
  afterEach(() => site.stop());

  const idOf = async (name: string): Promise<KeyId> =>
    new CallKey((await new KeyDirectory(site.path(name)).nodeKey()).jwk).id;

  const payload = (jws: string): unknown =>
    JSON.parse(new TextDecoder().decode(fromBase64url(jws.split('.')[1] ?? '') ?? new Uint8Array()));

  const call = async (path: string, node: Willis = site.primary): Promise<string> => {
    const { status, body } = await site.visit(`/.well-known/wlis/${path}`, node);
    return status === 200 ? body.toString() : '';
  };

  /** The replica as the group states it; undefined while it does not. */
  const stated = async (replica: Willis): Promise<Stated | undefined> => {
    const jws = await call(`group?namespace=${encodeURIComponent(`${site.origin}/`)}`);
    // while the primary opens its namespace anew
    if (jws === '') return undefined;
    const { replicas } = payload(jws) as { readonly replicas: readonly Stated[] };
    return replicas.find(({ urls }) => urls.includes(urlOf(replica)));
  };

  /** What a node says of itself. */
  const node = async (of: Willis): Promise<Stated> => payload(await call(`node?nonce=${'a'.repeat(22)}`, of)) as Stated;

  /** Whether clients are sent to it. */
  const isNamed = async (replica: Willis): Promise<boolean> => {
    const { fields } = await site.visit('/a.txt');
    return fields.some(([, value]) => value.startsWith(`<${urlOf(replica)}/`) && value.includes('rel=duplicate'));
  };

  /** A replica that is listed, with these rights and keys of its own node. */
  const listed = async (rights: object = {}, keys: object = {}): Promise<Willis> => {
    site = await Replicating.start({ files });
    const id = await idOf('replica-1');
    const granted = Object.fromEntries(Object.entries(rights).map(([name, has]) => [name, has === true ? [id] : []]));
    await site.publish({ replicas: { listed: [id], ...granted } });
    const replica = await site.replica();
    await site.replicate(replica, {}, { node: { url: urlOf(replica), ...keys } });
    await site.inStep(replica);
    await until(async () => (await stated(replica)) !== undefined);
    return replica;
  };

  flips('primary.namespaces[].replicas.browsers', 'to which replicas all clients may be sent', async () => {
    const replica = await listed({ browsers: false });
    assert.equal(await isNamed(replica), false);
    const id = await idOf('replica-1');
    await site.publish({ replicas: { listed: [id], browsers: [id] } });
    await until(() => isNamed(replica));
    await site.publish({ replicas: { listed: [id], browsers: [] } });
    await until(async () => !(await isNamed(replica)));
    await site.publish({ replicas: { listed: [id], browsers: 'all' } });
    await until(() => isNamed(replica));
  });

  flips('primary.namespaces[].replicas.delegates', 'which may stand behind its name', async () => {
    const replica = await listed({ delegates: true });
    await until(async () => (await stated(replica))?.delegate === true);
    await site.publish({ replicas: { listed: [await idOf('replica-1')] } });
    await until(async () => {
      const now = await stated(replica);
      return now !== undefined && now.delegate === undefined;
    });
    assert.equal(await isNamed(replica), false);
  });

  const restated = async (replica: Willis, keys: object): Promise<void> =>
    site.replicate(replica, {}, { node: { url: urlOf(replica), ...keys } });

  flips('node.geo.area', 'the country where a node is', async () => {
    const replica = await listed({}, { geo: { area: 'de' } });
    await until(async () => (await stated(replica))?.place?.area === 'de');
    assert.deepEqual((await node(replica)).place, { area: 'de' });
    await restated(replica, { geo: { area: 'fr' } });
    await until(async () => (await stated(replica))?.place?.area === 'fr');
  });

  flips('node.geo.lat', 'how far north it is', async () => {
    const replica = await listed({}, { geo: { lat: 52.5, lon: 13.4 } });
    await until(async () => (await stated(replica))?.place?.lat === 52_500);
    await restated(replica, { geo: { lat: -33.9, lon: 13.4 } });
    await until(async () => (await stated(replica))?.place?.lat === -33_900);
    assert.deepEqual((await node(replica)).place, { lat: -33_900, lon: 13_400 });
  });

  flips('node.geo.lon', 'how far east', async () => {
    const replica = await listed({}, { geo: { lat: 52.5, lon: 13.4 } });
    await until(async () => (await stated(replica))?.place?.lon === 13_400);
    await restated(replica, { geo: { lat: 52.5, lon: -0.1 } });
    await until(async () => (await stated(replica))?.place?.lon === -100);
  });

  flips('node.capacity', 'how much it can take', async () => {
    const replica = await listed({}, { capacity: 4 });
    await until(async () => (await stated(replica))?.capacity === 4);
    assert.equal((await node(replica)).capacity, 4);
    const told = async (): Promise<number | undefined> =>
      parseLoadField((await site.visit('/a.txt', replica)).get('wlis-load'))?.capacity;
    await until(async () => (await told()) === 4);
    await restated(replica, { capacity: 9 });
    await until(async () => (await stated(replica))?.capacity === 9);
    await until(async () => (await told()) === 9);
  });
});
