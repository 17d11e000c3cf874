#!/usr/bin/env -S node --max-semi-space-size=64
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { check } from './cli/check.js';
import { programDirectory } from './cli/config-file.js';
import { printConfig, printReference, printSchema } from './cli/config.js';
import type { ChangedOptions } from './cli/changed.js';
import type { Console } from './cli/console.js';
import { processReading } from './cli/process-reading.js';
import type { GroupsOptions } from './cli/groups.js';
import type { ExplainOptions } from './cli/explain.js';
import type { DelegateOptions, ExportOptions, NewKeyOptions } from './cli/keys.js';
import type { NameOptions } from './cli/keys-name.js';
import type { KeysOptions } from './cli/with-keys.js';
import type { LagOptions } from './cli/lag.js';
import type { NamespacesOptions } from './cli/namespaces.js';
import type { PromoteOptions } from './cli/promote.js';
import type { PurgeOptions } from './cli/purge.js';
import type { ReplicateOptions } from './cli/replicate.js';
import type { RunOptions } from './cli/run.js';
import type { SearchOptions } from './cli/search.js';
import type { StatsOptions } from './cli/stats.js';
import type { StoreStatsOptions, StoreVerifyOptions } from './cli/store.js';
import type { CheckAsOptions } from './cli/check-as.js';
import type { UserOptions } from './cli/user.js';

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

type CheckOptions = Partial<Pick<CheckAsOptions, 'as' | 'method' | 'side'>> & { readonly config?: string };

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
    const program = { version, runtime: process.version, read: processReading };
    const build: RunOptions['build'] = (config, parts) => buildNode(config, { ...parts, program });
    process.exit(await run({ file: options.config, version, console, events: process, build }));
  });

program
  .command('check')
  .description('tell every problem of a configuration; or, with --as, who may do what by it')
  .argument('[file]', 'configuration file; with --as, the URL that is asked for')
  .argument('[of-url]', 'with --as, the configuration file')
  .option('--as <client>', 'say what becomes of a request of a client: ADDRESS, or ADDRESS,user=NAME')
  .option('--method <method>', 'method of that request (default: CONNECT for https by the forward proxy, else GET)')
  .option('--side <side>', 'listener that it comes to: proxy or site (default: proxy, if it is opened)')
  .option(...configOption)
  .addHelpText('after', '\nWith --as: 0 if the request may be made, 1 if it is refused, 2 if that cannot be told.')
  .action(async (first: string | undefined, second: string | undefined, options: CheckOptions) => {
    const { as, config, ...request } = options;
    if (as === undefined) {
      if (second !== undefined || Object.keys(request).length > 0)
        program.error('error: only --as takes a URL, --method and --side');
      process.exitCode = check(first ?? config, console);
    } else {
      const { checkAs } = await import('./cli/check-as.js');
      process.exitCode = await checkAs({ ...request, as, url: first ?? '', file: second ?? config }, console);
    }
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

program
  .command('user')
  .description('give a user of the forward proxy a password, or a token for a program')
  .argument('<name>', 'name of the user')
  .option('--bearer', 'make a token and print it, instead of asking for a password')
  .option('--remove', 'take the user away; with --bearer, only the token')
  .option('--file <file>', 'file of users (default: access.authentication.usersFile of the configuration)')
  .option('--print', 'print the line for the file of users instead of writing it')
  .option(...configOption)
  .addHelpText('after', '\nAsks for the password at a terminal; otherwise reads it from standard input, as one line.')
  .action(async (name: string, options: UserOptions) => {
    const [{ user }, { secretInput }] = await Promise.all([import('./cli/user.js'), import('./cli/secret-input.js')]);
    process.exitCode = await user(
      name,
      options,
      console,
      secretInput(process.stdin, (text) => console.err(text)),
    );
  });

const keysOptions = (command: Command): Command =>
  command.option(...configOption).option('--directory <dir>', 'node.data, in place of a configuration');

const keys = program.command('keys').description('look after the keys of a node, of namespaces and of their roots');

keysOptions(keys.command('list'))
  .description('tell which keys are here, and what the roots say')
  .option('--json', 'print it as JSON')
  .action(async (options: KeysOptions & { json?: boolean }) => {
    const { listKeys } = await import('./cli/keys.js');
    process.exitCode = await listKeys(options, console);
  });

keysOptions(keys.command('new'))
  .description('make what a primary of a namespace needs: its key, and a root that names it')
  .argument('<namespace>', 'URL that all its documents begin with')
  .option('--key-only', 'make a key and print its public half, for the root that is elsewhere')
  .option('--days <count>', 'how long the root trusts the key (default: 400)')
  .action(async (namespace: string, options: NewKeyOptions) => {
    const [{ newKeys }, { systemClock }] = await Promise.all([import('./cli/keys.js'), import('./base/clock.js')]);
    process.exitCode = await newKeys(namespace, options, console, systemClock.now());
  });

keysOptions(keys.command('delegate'))
  .description('let the root name another key for a namespace, or the present one for longer')
  .argument('<namespace>', 'URL that all its documents begin with')
  .argument('[key]', 'public half of the key, as new --key-only prints it')
  .option('--days <count>', 'how long the root trusts the key (default: 400)')
  .action(async (namespace: string, key: string | undefined, options: DelegateOptions) => {
    const [{ delegateKey }, { systemClock }] = await Promise.all([import('./cli/keys.js'), import('./base/clock.js')]);
    process.exitCode = await delegateKey(namespace, key, options, console, systemClock.now());
  });

keysOptions(keys.command('rotate-root'))
  .description('put the next root key of an origin in the place of the present one')
  .argument('<origin>', 'such as https://www.example.org')
  .action(async (origin: string, options: KeysOptions) => {
    const [{ rotateRootKey }, { systemClock }] = await Promise.all([
      import('./cli/keys.js'),
      import('./base/clock.js'),
    ]);
    process.exitCode = await rotateRootKey(origin, options, console, systemClock.now());
  });

keysOptions(keys.command('name'))
  .description('give a name to a namespace: a statement that a directory publishes for those who trust the key')
  .argument('<name>', 'manual for http://manual.wlis/, *.docs for all below docs.wlis')
  .argument('[namespace]', 'URL that it stands for')
  .option('--own', 'below the name that says by itself which key gives it: NAME.k-….wlis, which needs no trust')
  .option('--key <key>', 'which of several naming keys signs it')
  .option('--remove', 'it stands for nothing any more')
  .option('--days <count>', 'how long it stands for that (default: 400)')
  .action(async (name: string, namespace: string | undefined, options: NameOptions) => {
    const [{ nameNamespace }, { systemClock }] = await Promise.all([
      import('./cli/keys-name.js'),
      import('./base/clock.js'),
    ]);
    process.exitCode = await nameNamespace(name, namespace, options, console, systemClock.now());
  });

keysOptions(keys.command('export'))
  .description('write all keys and roots to a new file, as a back-up')
  .argument('<file>', 'file, or - for standard output')
  .option('--public', 'only what the roots have stated, without any secret')
  .action(async (file: string, options: ExportOptions) => {
    const { exportKeys } = await import('./cli/keys.js');
    process.exitCode = await exportKeys(file, options, console);
  });

keysOptions(keys.command('import'))
  .description('add what export has written; nothing that is there is changed')
  .argument('<file>', 'file, or - for standard input')
  .action(async (file: string, options: KeysOptions) => {
    const [{ importKeys }, { secretInput }] = await Promise.all([
      import('./cli/keys.js'),
      import('./cli/secret-input.js'),
    ]);
    const input = secretInput(process.stdin, (text) => console.err(text));
    process.exitCode = await importKeys(file, options, console, input);
  });

const nodeOptions = (command: Command): Command =>
  command
    .option('-c, --config <file>', 'configuration that the node was started with, for its listen.admin and token')
    .option('--admin <url>', 'URL of the operator side of the node, in place of a configuration')
    .option('--token-file <file>', 'file with the token of the operator side');

nodeOptions(program.command('purge'))
  .description('mark what is stored as stale, so that its next use asks the origin server; or forget it')
  .argument('[url]', 'URL; without its scheme for http and https')
  .option('--prefix', 'everything that begins with the URL')
  .option('--host <host>', 'everything of a host, on any port or as host:port')
  .option('--group <group>', 'a cache group (RFC 9875) of --origin')
  .option('--origin <origin>', 'origin of --group, such as https://www.example.org')
  .option('--hard', 'forget it, in place of marking it stale')
  .option('--json', 'print the answer of the node')
  .addHelpText('after', '\nEnds when that is true for every later request; with 0, however much was stored.')
  .action(async (url: string | undefined, options: PurgeOptions) => {
    const { purge } = await import('./cli/purge.js');
    process.exitCode = await purge(url, options, console);
  });

nodeOptions(program.command('explain'))
  .description('tell what is stored for a URL, and what the next request for it would do and why')
  .argument('<url>', 'URL, as a client asks for it')
  .option('-H, --header <field>', "field of the request, as 'Name: value'; several times for several", collect)
  .option('-X, --request <method>', 'method of the request (default: GET)')
  .option('--side <side>', 'proxy or site (default: where something is stored, or what serves the host)')
  .option('--as <client>', 'tell, too, what the access rules say of a client of that address')
  .option('--json', 'print the answer of the node')
  .action(async (url: string, options: ExplainOptions) => {
    const [{ explain }, { textFor }] = await Promise.all([import('./cli/explain.js'), import('./cli/screen.js')]);
    process.exitCode = await explain(url, options, console, textFor(process.stdout, process.env));
  });

nodeOptions(program.command('stats'))
  .description('tell what a node has done and what it holds')
  .option('-w, --watch', 'draw it anew every second, until Ctrl-C')
  .option('--json', 'print all numbers')
  .action(async (options: StatsOptions) => {
    const [{ stats }, { screenOf, textFor }] = await Promise.all([import('./cli/stats.js'), import('./cli/screen.js')]);
    const text = textFor(process.stdout, process.env);
    process.exitCode = await stats(options, console, text, screenOf(process.stdout, process));
  });

const storeOptions = (command: Command): Command =>
  nodeOptions(command)
    .option('--directory <dir>', 'node.data of a node that does not run, in place of a configuration')
    .option('--json', 'print all of it as JSON');

const store = program
  .command('store')
  .description('look after what is stored on disk: by the node that runs, or by its directory while none does');

storeOptions(store.command('stats'))
  .description('tell what is stored, and how the disk fares')
  .action(async (options: StoreStatsOptions) => {
    const [{ storeStats }, { textFor }] = await Promise.all([import('./cli/store.js'), import('./cli/screen.js')]);
    process.exitCode = await storeStats(options, console, textFor(process.stdout, process.env));
  });

storeOptions(store.command('verify'))
  .description('read and check everything; what is damaged is forgotten')
  .option('--rate <size>', 'most bytes to read in a second (default: 100MiB)')
  .addHelpText('after', '\nEnds with 0 if all is well, 1 if something was damaged, 2 if that could not be told.')
  .action(async (options: StoreVerifyOptions) => {
    const [{ storeVerify }, { watchOf }] = await Promise.all([import('./cli/store.js'), import('./cli/screen.js')]);
    process.exitCode = await storeVerify(options, console, watchOf(process.stderr, process.env, process));
  });

storeOptions(store.command('rebuild'))
  .description('make the index anew from what is sound in it and from the body files')
  .addHelpText('after', '\nA node serves without its disk meanwhile. Afterwards all is validated before its next use.')
  .action(async (options: StoreStatsOptions) => {
    const [{ storeRebuild }, { watchOf }] = await Promise.all([import('./cli/store.js'), import('./cli/screen.js')]);
    process.exitCode = await storeRebuild(options, console, watchOf(process.stderr, process.env, process));
  });

storeOptions(store.command('compact'))
  .description('give back the room of what was deleted')
  .action(async (options: StoreStatsOptions) => {
    const [{ storeCompact }, { watchOf }] = await Promise.all([import('./cli/store.js'), import('./cli/screen.js')]);
    process.exitCode = await storeCompact(options, console, watchOf(process.stderr, process.env, process));
  });

nodeOptions(program.command('namespaces'))
  .description('tell how the namespaces fare that a node publishes or replicates')
  .option('--json', 'print all of it as JSON')
  .action(async (options: NamespacesOptions) => {
    const [{ namespaces }, { textFor }] = await Promise.all([import('./cli/namespaces.js'), import('./cli/screen.js')]);
    process.exitCode = await namespaces(options, console, textFor(process.stdout, process.env));
  });

nodeOptions(program.command('groups'))
  .description('tell which namespaces of others a node knows, or who holds the one that a URL belongs to')
  .argument('[url]', 'URL of a document or namespace')
  .option('--json', 'print all of it as JSON')
  .action(async (url: string | undefined, options: GroupsOptions) => {
    const [{ groups }, { textFor }] = await Promise.all([import('./cli/groups.js'), import('./cli/screen.js')]);
    process.exitCode = await groups(url, options, console, textFor(process.stdout, process.env));
  });

nodeOptions(program.command('search'))
  .description('find pages by their words, of what a node holds and may be searched')
  .argument('<words...>', 'words, or their beginnings')
  .option('--in <namespace>', 'only in this one')
  .option('--limit <count>', 'how many are shown, at most 50 (default: 10)')
  .option('--json', 'print what was found as JSON')
  .addHelpText('after', '\nExit code 1 also if nothing was found.')
  .action(async (words: string[], options: SearchOptions) => {
    const [{ search }, { textFor }] = await Promise.all([import('./cli/search.js'), import('./cli/screen.js')]);
    process.exitCode = await search(words, options, console, textFor(process.stdout, process.env));
  });

const trustCommand = nodeOptions(program.command('trust'))
  .description('tell whom a node believes and why, and what it did not believe')
  .option('--json', 'print all of it as JSON')
  .action(async (options: GroupsOptions) => {
    const [{ trust }, { textFor }] = await Promise.all([import('./cli/trust.js'), import('./cli/screen.js')]);
    process.exitCode = await trust(options, console, textFor(process.stdout, process.env));
  });

nodeOptions(trustCommand.command('forget'))
  .description('have a node learn anew whom to believe about an origin')
  .argument('<origin>', 'scheme, host and port, such as http://docs.example')
  .option('--json', 'print the result as JSON')
  .action(async (origin: string, _: unknown, command: Command) => {
    const { forgetTrust } = await import('./cli/trust.js');
    process.exitCode = await forgetTrust(origin, command.optsWithGlobals<GroupsOptions>(), console);
  });

nodeOptions(program.command('status'))
  .description('tell all that a node knows of a namespace: its head, replicas, source and counters')
  .argument('<namespace>', 'URL that all its documents begin with')
  .option('--json', 'print all of it as JSON')
  .action(async (namespace: string, options: NamespacesOptions) => {
    const [{ namespaceStatus }, { textFor }] = await Promise.all([
      import('./cli/namespace-status.js'),
      import('./cli/screen.js'),
    ]);
    process.exitCode = await namespaceStatus(namespace, options, console, textFor(process.stdout, process.env));
  });

nodeOptions(program.command('lag'))
  .description('tell whether all replicas hold what the primary has published')
  .argument('[namespace]', 'URL that all its documents begin with (default: all that the node is the primary of)')
  .option('--wait', 'until they do')
  .option('--timeout <duration>', 'with --wait, how long at most, such as 60s (default: for ever)')
  .option('--json', 'print it as JSON')
  .addHelpText('after', '\nEnds with 0 if all are in step, 1 if not, 2 if that could not be told.')
  .action(async (namespace: string | undefined, options: LagOptions) => {
    const [{ lag }, { textFor, watchOf }] = await Promise.all([import('./cli/lag.js'), import('./cli/screen.js')]);
    const terminal = {
      text: textFor(process.stdout, process.env),
      watch: watchOf(process.stderr, process.env, process),
    };
    process.exitCode = await lag(namespace, options, console, terminal);
  });

nodeOptions(program.command('changed'))
  .description('have a primary publish now what has changed in its directories')
  .argument('[namespace]', 'URL that all its documents begin with (default: all that the node is the primary of)')
  .option('--allow-removals', 'what is missing is meant to be: publish removals that wait to be allowed')
  .option('--json', 'print it as JSON')
  .addHelpText('after', '\nEnds with 1 if not all could be published: files are still being written, or removals wait.')
  .action(async (namespace: string | undefined, options: ChangedOptions) => {
    const [{ changed }, { watchOf }] = await Promise.all([import('./cli/changed.js'), import('./cli/screen.js')]);
    process.exitCode = await changed(namespace, options, console, watchOf(process.stderr, process.env, process));
  });

program
  .command('replicate')
  .description('add a namespace to the configuration of this node, and show how it is taken over')
  .argument('<namespace>', 'URL that all its documents begin with')
  .requiredOption('--from <url>', 'its primary, or another node that knows it')
  .option('--token-file <file>', 'file with the token of the primary')
  .option('--root-key <key>', "root key of the namespace, as 'willis keys list' shows it at its primary")
  .option(...configOption)
  .addHelpText('after', '\nCtrl-C ends only the showing; the node goes on.')
  .action(async (namespace: string, options: ReplicateOptions) => {
    const [{ replicate }, { watchOf }] = await Promise.all([import('./cli/replicate.js'), import('./cli/screen.js')]);
    process.exitCode = await replicate(namespace, options, console, watchOf(process.stderr, process.env, process));
  });

nodeOptions(program.command('promote'))
  .description('make a replica the primary of a namespace, when the old one is gone for good')
  .argument('<namespace>', 'URL that all its documents begin with')
  .option('--yes', 'do it; without it is only said what it means')
  .option('--json', 'print what came of it as JSON')
  .action(async (namespace: string, options: PromoteOptions) => {
    const { promote } = await import('./cli/promote.js');
    process.exitCode = await promote(namespace, options, console);
  });

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

await program.parseAsync();
