import assert from 'node:assert/strict';
import { createLogger, type RootLogger } from '../../proxy/base/logger.js';
import { readableLine } from '../../proxy/base/readable-line.js';

const collecting = (readable: boolean, level: 'debug' | 'info' = 'info'): { logger: RootLogger; lines: string[] } => {
  const lines: string[] = [];
  return { logger: createLogger({ level, readable, write: (line) => lines.push(line) }), lines };
};

describe('the logger', () => {
  it('writes one JSON object a line, with the time, the fields and the message', () => {
    const { logger, lines } = collecting(false);
    logger.info({ code: 'opened', listener: 'proxy' }, 'listening');
    assert.equal(lines.length, 1);
    const [line = ''] = lines;
    assert.ok(line.endsWith('}\n'), line);
    const { time, ...event } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(typeof time, 'number');
    assert.deepEqual(event, { level: 30, code: 'opened', listener: 'proxy', msg: 'listening' });
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = collecting(false);
    logger.debug({ code: 'detail' }, 'detail');
    assert.deepEqual(lines, []);
  });

  it('gives the fields of a child to each of its events', () => {
    const { logger, lines } = collecting(false);
    logger.child({ part: 'cache' }).warn({ code: 'full', n: 1 }, 'full');
    assert.match(lines[0] ?? '', /"part":"cache","code":"full","n":1,"msg":"full"/);
  });

  it('writes errors with message, stack and cause', () => {
    const { logger, lines } = collecting(false);
    logger.error({ code: 'x', error: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    const event = JSON.parse(lines[0] ?? '') as {
      error: { message: string; stack: string; cause: { message: string } };
    };
    assert.equal(event.error.message, 'outer');
    assert.match(event.error.stack, /logger\.test/);
    assert.equal(event.error.cause.message, 'inner');
  });

  it('writes to a terminal a short line, and an error below it', () => {
    const { logger, lines } = collecting(true);
    logger.error({ code: 'no-way', url: 'http://a/', n: 3, text: 'a b', error: new Error('no') }, 'failed');
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{3} error failed code=no-way url=http:\/\/a\/ n=3 text="a b"\n {4}Error: no\n/,
    );
  });

  it('shows … for what is secret in URIs, in sentences and in errors, and shows the rest', () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'info',
      redact: ['token'],
      readable: false,
      write: (line) => lines.push(line),
    });
    const secret = 'http://u:pw@a.test/?token=first&page=1';
    const error = new Error(`no ${secret} here`, { cause: new Error(`not ${secret}`) });
    logger
      .child({ listener: 'site' })
      .info({ code: 'x', uri: secret, detail: `at ${secret} too`, reason: secret, error }, 'm');
    const [line = ''] = lines;
    assert.doesNotMatch(line, /first|pw/);
    const event = JSON.parse(line) as Record<string, unknown> & {
      error: { message: string; cause: { message: string } };
    };
    assert.equal(event['uri'], 'http://…@a.test/?token=…&page=1');
    assert.equal(event['detail'], 'at http://…@a.test/?token=…&page=1 too');
    assert.equal(event.error.message, 'no http://…@a.test/?token=…&page=1 here');
    assert.equal(event.error.cause.message, 'not http://…@a.test/?token=…&page=1');
  });

  it('can be configured anew, and the loggers that come from it with it', () => {
    const { logger, lines } = collecting(false);
    const child = logger.child({ part: 'cache' });
    logger.configure({ level: 'warn', redact: ['pin'] });
    child.info({ code: 'quiet' }, 'm');
    child.warn({ code: 'loud', uri: '/?pin=1' }, 'm');
    logger.configure({ level: 'silent' });
    child.error({ code: 'silent' }, 'm');
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"part":"cache","code":"loud","uri":"\/\?pin=…"/);
  });

  it('tells a person the code of what did not go well, and not that of what did', () => {
    const { logger, lines } = collecting(true);
    logger.info({ code: 'started' }, 'm');
    logger.warn({ code: 'dns-failed' }, 'm');
    assert.deepEqual(
      lines.map((line) => line.slice(13)),
      ['info  m\n', 'warn  m code=dns-failed\n'],
    );
  });

  it('lets nothing that is logged steer a terminal', () => {
    const line = readableLine(JSON.stringify({ level: 30, time: 0, msg: 'a\u001b[2J\nb', host: '\u009b0m' }));
    assert.equal(line, '00:00:00.000 info  a\\x1b[2J\\x0ab host=\\x9b0m\n');
  });
});
