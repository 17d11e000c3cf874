import assert from 'node:assert/strict';
import { loadConfig } from '../../config/load.js';
import { greeting } from '../../proxy/cli/greeting.js';
import type { Node } from '../../proxy/roles/running-node.js';

/** What is said to whoever starts a node by these lines of YAML. */
const said = (yaml: string, site = 'http://127.0.0.1:8080/'): string => {
  const listening: Node['listening'] = [{ name: 'site', url: site }];
  return greeting(loadConfig(yaml, 'x.yaml', {}), listening, '1.2.3');
};

const published = "primary: {namespaces: [{url: 'http://www.example.org/', directory: /srv/site}]}\n";

describe('the greeting', () => {
  it('says what is published and how to try it, whoever the name leads to by now', () => {
    const text = said(published);
    assert.match(text, /\nPublished here:\n {2}http:\/\/www\.example\.org\/ from \/srv\/site\n/);
    assert.match(text, /\n {4}curl --connect-to www\.example\.org:80:127\.0\.0\.1:8080 http:\/\/www\.example\.org\/\n/);
    assert.doesNotMatch(text, /Put it in front of a site/);
  });

  it('says what is replicated from where', () => {
    const text = said("replicated: {namespaces: [{url: 'http://a.example:81/x/', from: 'http://b.example'}]}");
    assert.match(text, /\nReplicated here:\n {2}http:\/\/a\.example:81\/x\/ from http:\/\/b\.example\/?\n/);
    assert.match(text, /curl --connect-to a\.example:81:127\.0\.0\.1:8080 http:\/\/a\.example:81\/x\/\n/);
  });

  it('asks a node by the name itself where that leads there, and not past whatever ends its TLS', () => {
    const own = "primary: {namespaces: [{url: 'http://127.0.0.1:8080/', directory: /srv/site}]}";
    assert.match(said(own), /\n {4}curl http:\/\/127\.0\.0\.1:8080\/\n/);
    assert.doesNotMatch(said(published.replace('http:', 'https:')), /curl .*example/);
    assert.match(
      said(published.replace('http:', 'https:'), 'https://127.0.0.1:8443/'),
      /--connect-to www\.example\.org:443:127\.0\.0\.1:8443 https:/,
    );
  });

  it('tells of sites beside, and names only a few of many namespaces', () => {
    const sites = "sites: [{host: shop.example, origin: 'http://127.0.0.1:9'}]\n";
    assert.match(said(published + sites), /Published here:[^]*Sites:\n {2}shop\.example/);
    const many = Array.from({ length: 12 }, (_, i) => `{url: 'http://n${i}.example/', directory: /srv/${i}}`);
    assert.match(
      said(`primary: {namespaces: [${many.join(', ')}]}`),
      /n7\.example[^]* {2}and 4 more: willis namespaces\n/,
    );
  });

  it('suggests a site where there is nothing yet', () => {
    assert.match(said('{}'), /Put it in front of a site/);
  });
});
