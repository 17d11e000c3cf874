import assert from 'node:assert/strict';
import { ConfigError } from '../../config/config-error.js';
import { loadConfig } from '../../config/load.js';

/** The problems of what is said of mirrors, as `line:column path: …`. */
function problems(...mirrors: readonly string[]): string[] {
  const text = `clientSide:\n  mirrors:\n${mirrors.map((one) => `    - ${one}\n`).join('')}`;
  try {
    loadConfig(text, '/etc/willis/proxy.config.yaml', {}, { hostName: 'cache-1' });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n').map((line) => line.replace('/etc/willis/proxy.config.yaml:', ''));
  }
  return [];
}

describe('mirrors in a configuration', () => {
  it('are said once for each part of the web, in whatever spelling; parts may lie in others', () => {
    const of = (url: string): string => `{of: '${url}', at: ['http://m.example/']}`;
    assert.deepEqual(problems(of('http://a.example/'), of('http://a.example/b/'), of('https://a.example/')), []);
    assert.deepEqual(problems(of('http://a.example/'), of('http://A.example:80/')), [
      '4:12 clientSide.mirrors[1].of: expected each part of the web once, got "http://a.example/" again, as in clientSide.mirrors[0].of.',
    ]);
  });
});
