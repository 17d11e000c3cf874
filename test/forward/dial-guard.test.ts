import assert from 'node:assert/strict';
import { milliseconds } from '../../config/units.js';
import { DialGuard, type DialGuardOptions } from '../../proxy/forward/dial-guard.js';
import { WillisError } from '../../proxy/base/errors.js';
import { failsWith } from './upstream-fixture.js';

const limits = { signal: new AbortController().signal, timeout: milliseconds(5000) };

const guardWith = (options: Partial<DialGuardOptions> = {}): DialGuard =>
  new DialGuard({ allow: [], deny: ['private'], ...options });

const resolving = (...addresses: string[]): Pick<DialGuardOptions, 'lookup'> => ({
  lookup: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
});

const resolve = async (guard: DialGuard, host: string, port = 80): Promise<string[]> =>
  (await guard.resolve({ host, port }, limits)).map(({ address }) => address);

describe('the dial guard', () => {
  const spellings = ['127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0', '0.0.0.0', 'localhost', 'localhost.'];
  spellings.push('LOCALHOST', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::1]', '[::]', '127.0.0.1', '[::127.0.0.1]');
  spellings.push('[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[0:0:0:0:0:0:0:1]', '127.255.255.254', '169.254.169.254');
  for (const host of spellings) {
    it(`the address that ${host} resolves to is judged, however it is spelt`, async () => {
      await assert.rejects(resolve(guardWith(), host), (error: WillisError) => {
        // A spelling that the system's resolver does not know leads nowhere either.
        return error.code === 'destination-refused' || error.code === 'dns-failed';
      });
    });
  }

  it('what is handed out to be dialled is the address that was judged', async () => {
    const guard = guardWith(resolving('93.184.215.14', '2606:4700::1111'));
    assert.deepEqual(await resolve(guard, 'www.example.org'), ['93.184.215.14', '2606:4700::1111']);
  });

  it('refused addresses of a name are left out, and the others dialled', async () => {
    assert.deepEqual(await resolve(guardWith(resolving('10.0.0.1', '93.184.215.14')), 'mixed.example'), [
      '93.184.215.14',
    ]);
  });

  it('a refusal names the host and the range, and not the address', async () => {
    await assert.rejects(resolve(guardWith(resolving('10.9.8.7')), 'intranet.example'), (error: WillisError) => {
      assert.equal(error.code, 'destination-refused');
      assert.match(error.message, /intranet\.example/);
      assert.match(error.message, /10\.0\.0\.0\/8/);
      assert.doesNotMatch(error.message, /10\.9\.8\.7/);
      return true;
    });
  });

  it('allow beats deny: by range, address, name, suffix and the word private', async () => {
    for (const entry of [
      '10.0.0.0/8',
      '10.9.8.7',
      'a.intranet.example',
      'A.Intranet.Example.',
      '*.intranet.example',
      'private',
    ]) {
      const guard = guardWith({ allow: [entry], ...resolving('10.9.8.7') });
      assert.deepEqual(await resolve(guard, 'a.intranet.example'), ['10.9.8.7'], entry);
    }
    for (const entry of ['11.0.0.0/8', 'b.intranet.example', '*.a.intranet.example', '::/0']) {
      const guard = guardWith({ allow: [entry], ...resolving('10.9.8.7') });
      await assert.rejects(resolve(guard, 'a.intranet.example'), failsWith('destination-refused'), entry);
    }
  });

  it('deny refuses by range, address, name and suffix what is not private', async () => {
    for (const entry of ['93.184.215.0/24', '93.184.215.14', 'www.example.org', '*.example.org']) {
      const guard = guardWith({ deny: [entry], ...resolving('93.184.215.14') });
      await assert.rejects(resolve(guard, 'WWW.example.org.'), failsWith('destination-refused'), entry);
    }
    const suffix = guardWith({ deny: ['*.example.org'], ...resolving('93.184.215.14') });
    assert.deepEqual(await resolve(suffix, 'example.org'), ['93.184.215.14']);
    assert.deepEqual(await resolve(suffix, 'badexample.org'), ['93.184.215.14']);
  });

  it('a range of IPv4 addresses covers the IPv6 addresses that embed them', async () => {
    const guard = guardWith({ deny: ['93.184.215.0/24'] });
    await assert.rejects(resolve(guard, '[::ffff:93.184.215.14]'), failsWith('destination-refused'));
  });

  it('exactly the exempt authorities skip the rules', async () => {
    const guard = guardWith({
      exempt: [
        { host: '127.0.0.1', port: 8000 },
        { host: '[::1]', port: 8000 },
      ],
    });
    assert.deepEqual(await resolve(guard, '127.0.0.1', 8000), ['127.0.0.1']);
    assert.deepEqual(await resolve(guard, '[::1]', 8000), ['::1']);
    await assert.rejects(resolve(guard, '127.0.0.1', 8001), failsWith('destination-refused'));
    await assert.rejects(resolve(guard, 'localhost', 8000), failsWith('destination-refused'));
  });

  it('a closed port is refused on every address of this machine alone, whatever is allowed', async () => {
    const allow = ['private', '127.0.0.1', 'here.example', '0.0.0.0/0', '::/0'];
    for (const host of [
      '127.0.0.1',
      '127.9.9.9',
      '[::1]',
      '0.0.0.0',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
    ]) {
      const guard = guardWith({ allow, closedPorts: [3180] });
      await assert.rejects(resolve(guard, host, 3180), failsWith('destination-refused'), host);
      assert.equal((await resolve(guard, host, 3181)).length, 1, host);
    }
    const named = guardWith({ allow, closedPorts: [3180], ...resolving('127.0.0.1', '10.0.0.1') });
    assert.deepEqual(await resolve(named, 'here.example', 3180), ['10.0.0.1']);
  });

  it('a name that does not resolve fails as dns-failed', async () => {
    // a label too long for the resolver to ask anybody about it (RFC 1035 §2.3.4)
    await assert.rejects(resolve(guardWith(), `${'x'.repeat(64)}.invalid`), failsWith('dns-failed'));
    await assert.rejects(resolve(guardWith(resolving()), 'empty.example'), failsWith('dns-failed'));
  });

  it('a resolver that does not answer fails as dns-timeout', async () => {
    const guard = guardWith({ lookup: () => new Promise(() => undefined) });
    const short = { ...limits, timeout: milliseconds(10) };
    await assert.rejects(guard.resolve({ host: 'slow.example', port: 80 }, short), failsWith('dns-timeout'));
  });

  it('whoever resolves is told when nobody waits any more', async () => {
    const signals: AbortSignal[] = [];
    const lookup = (_host: string, signal: AbortSignal): Promise<never> => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    const short = { ...limits, timeout: milliseconds(10) };
    await assert.rejects(guardWith({ lookup }).resolve({ host: 'slow.example', port: 80 }, short));
    assert.equal(signals[0]?.aborted, true);
  });

  it('resolving is given up with the signal', async () => {
    const controller = new AbortController();
    const guard = guardWith({ lookup: () => new Promise(() => undefined) });
    const pending = guard.resolve({ host: 'slow.example', port: 80 }, { ...limits, signal: controller.signal });
    controller.abort(new WillisError('client-gone', 'test'));
    await assert.rejects(pending, failsWith('client-gone'));
  });

  it('an entry that is no range, address, name, suffix or private is refused at once', () => {
    for (const entry of ['', 'http://x/', '10.0.0.0/99', 'a b', '*', 'a.*.b', '[10.0.0.1', 'x:80']) {
      assert.throws(() => guardWith({ allow: [entry] }), TypeError, entry);
    }
  });
});
