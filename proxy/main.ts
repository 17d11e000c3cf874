#!/usr/bin/env -S node --max-semi-space-size=64
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { check } from './cli/check.js';
import { programDirectory } from './cli/config-file.js';
import { printConfig, printReference, printSchema } from './cli/config.js';
import type { Console } from './cli/console.js';

// Whoever reads the output may leave before it ends (`willis config | head`).
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const { version } = JSON.parse(readFileSync(join(programDirectory(), 'package.json'), 'utf8')) as { version: string };
const console: Console = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  environment: process.env,
  directory: process.cwd(),
  hostName: hostname(),
};

const configOption = ['-c, --config <file>', 'configuration file (default: proxy.config.yaml)'] as const;
const program = new Command('willis')
  .description('A replicating web proxy: a caching forward and reverse proxy.')
  .version(version)
  .addHelpText('after', '\nExit codes: 0 all went well, 1 failure, 2 the configuration cannot stand.')
  .showHelpAfterError('(willis --help tells more)');

program
  .command('run')
  .description('start a node; SIGTERM or Ctrl-C stops it')
  .option(...configOption)
  .action(async (options: { config?: string }) => {
    // The other commands do without everything that a node is made of.
    const [{ run }, { buildNode }] = await Promise.all([import('./cli/run.js'), import('./roles/build-node.js')]);
    process.exit(await run({ file: options.config, version, console, events: process, build: buildNode }));
  });

program
  .command('check')
  .description('tell every problem of a configuration, the files that it names included')
  .argument('[file]', 'configuration file')
  .option(...configOption)
  .action((file: string | undefined, options: { config?: string }) => {
    process.exitCode = check(file ?? options.config, console);
  });

program
  .command('config')
  .description('print the effective configuration')
  .option(...configOption)
  .option('--schema', 'print the JSON Schema of the configuration file instead')
  .option('--reference', 'print the tables of all keys, in Markdown, instead')
  .action((options: { config?: string; schema?: boolean; reference?: boolean }) => {
    if (options.schema === true) process.exitCode = printSchema(console);
    else if (options.reference === true) process.exitCode = printReference(console);
    else process.exitCode = printConfig(options.config, console);
  });

await program.parseAsync();
