import assert from 'node:assert/strict';
import { loadConfig } from '../../config/load.js';
import { findingProblems } from '../../proxy/roles/finding/client-finding.js';

describe('a configuration of finding', () => {
  const problemsOf = (config: object): string[] =>
    findingProblems(loadConfig(JSON.stringify(config), 'x', {})).map(
      ({ key, expected, got }) => `${key}: ${expected}: ${got}`,
    );

  it('has sites that stand for namespaces only where there can be one', () => {
    const site = (namespace: string): object => ({ sites: [{ host: 'a.example', namespace }] });
    assert.deepEqual(problemsOf(site('https://docs.example/manual/')), []);
    assert.deepEqual(problemsOf(site('https://docs.example/.well-known/x/')), [
      'sites[0].namespace: the URL of a namespace: https://docs.example/.well-known/x/ (nothing below /.well-known/ is replicated)',
    ]);
  });

  it('names proxies to browsers by addresses that they can be sent to', () => {
    const pac = (proxies: readonly string[]): object => ({ clientSide: { pac: { proxies } } });
    assert.deepEqual(problemsOf(pac(['self', 'proxy.example:3128'])), []);
    assert.deepEqual(problemsOf(pac(['self', '*:3128'])), [
      'clientSide.pac.proxies[1]: the address of one proxy: [::]:3128',
    ]);
  });
});
