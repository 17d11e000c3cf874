import assert from 'node:assert/strict';
import { rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { answer } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { WillisProcess } from '../support/willis-process.js';

describe('a running willis', function () {
  this.timeout(60_000);
  let dir: TempDir;
  let willis: WillisProcess;
  let origins: [ScriptedOrigin, ScriptedOrigin];
  let certificates: [Certificates, Certificates];
  let port: number;

  before(async () => {
    dir = await TempDir.create();
    const [one, two] = [await startOrigin(answer(200, {}, 'one')), await startOrigin(answer(200, {}, 'two'))];
    origins = [one, two];
    certificates = [await makeCertificates(), await makeCertificates()];
    await writeCertificate(certificates[0]);
    await dir.write('proxy.config.yaml', config(origins[0]));
    willis = await WillisProcess.start(at('proxy.config.yaml'));
    port = willis.port('site');
  });
  after(async () => {
    await willis.stop();
    for (const origin of origins) await origin.close();
    await dir.remove();
  });

  const at = (name: string): string => join(dir.path, name);
  const writeCertificate = async ({ leaf }: Certificates): Promise<void> => {
    await dir.write('cert.pem', leaf.cert);
    await dir.write('key.pem', leaf.key);
  };
  const config = (origin: ScriptedOrigin, more = ''): string =>
    [
      'roles: []',
      "listen: { proxy: null, admin: null, site: { address: '127.0.0.1:0', tls: { cert: cert.pem, key: key.pem } } }",
      'sites:',
      `  - { host: '*', origin: '${origin.url('/')}' }`,
      'log: { access: { format: off } }',
      more,
    ].join('\n');
  const content = async (ca: string): Promise<string> => {
    const client = await RawClient.connect(port, { tls: { ca, servername: 'localhost' } });
    client.request('GET', '/', { Host: 'localhost' });
    const response = await client.receive();
    client.close();
    return response.body.toString();
  };

  it('takes a file that was saved by renaming', async () => {
    assert.equal(await content(certificates[0].ca), 'one');
    await rename(await dir.write('proxy.config.yaml.new', config(origins[1])), at('proxy.config.yaml'));
    const event = await willis.event('configuration reloaded');
    assert.deepEqual([event['changed'], event['trigger']], [['sites[0].origin'], 'file']);
    assert.equal(await content(certificates[0].ca), 'two');
  });

  it('keeps the old configuration if the new file is broken, says why once, and takes a later one that is good', async () => {
    await dir.write('proxy.config.yaml', config(origins[0], 'limits: {headers: many}'));
    const event = await willis.event('configuration not reloaded');
    assert.match(String(event['problems']), /proxy\.config\.yaml:6:19 limits\.headers: expected a whole number/);
    assert.equal(await content(certificates[0].ca), 'two');
    await dir.write('proxy.config.yaml', config(origins[0], 'limits: {headers: 100'));
    const half = await willis.event('configuration not reloaded');
    assert.match(String(half['problems']), /proxy\.config\.yaml:6:\d+: expected well-formed YAML/);
    await dir.write('proxy.config.yaml', config(origins[0]));
    assert.deepEqual((await willis.event('configuration reloaded'))['changed'], ['sites[0].origin']);
    assert.equal(await content(certificates[0].ca), 'one');
    assert.equal(willis.events.filter(({ msg }) => String(msg).startsWith('configuration not')).length, 2);
  });

  it('takes new certificates when they fit, and not while they do not', async () => {
    await dir.write('cert.pem', certificates[1].leaf.cert);
    const refused = await willis.event('configuration not reloaded');
    assert.match(
      String(refused['problems']),
      /:2:97 listen\.site\.tls\[0\]\.key: expected the key of the certificate in/,
    );
    assert.equal(await content(certificates[0].ca), 'one');
    await dir.write('key.pem', certificates[1].leaf.key);
    const event = await willis.event('configuration reloaded');
    assert.deepEqual(event['changed'], ['listen.site.tls[0].cert', 'listen.site.tls[0].key']);
    assert.equal(await content(certificates[1].ca), 'one');
  });

  it('takes a file that a link leads to, and the one that it leads to later', async () => {
    await dir.write('..1/proxy.config.yaml', config(origins[1]));
    await dir.write('..2/proxy.config.yaml', config(origins[0]));
    for (const one of ['..1', '..2'])
      for (const name of ['cert.pem', 'key.pem']) await symlink(at(name), at(`${one}/${name}`));
    await symlink('..1', at('..data'));
    await unlink(at('proxy.config.yaml'));
    await symlink('..data/proxy.config.yaml', at('proxy.config.yaml'));
    await willis.event('configuration reloaded');
    assert.equal(await content(certificates[1].ca), 'two');
    await symlink('..2', at('..tmp'));
    await rename(at('..tmp'), at('..data'));
    await willis.event('configuration reloaded');
    assert.equal(await content(certificates[1].ca), 'one');
  });

  it('reads it again at SIGHUP, and ends at SIGTERM', async () => {
    willis.signal('SIGHUP');
    const event = await willis.event('configuration read again');
    assert.equal(event['trigger'], 'signal');
    willis.signal('SIGTERM');
    await willis.event('stopped');
  });
});
