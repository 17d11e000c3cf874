import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatListenAddress } from '../../config/network-name.js';
import type { Listener } from '../../config/side-keys.js';
import { openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';

/** How a command is told where its node is. */
export interface OperatorOptions {
  readonly config?: string | undefined;
  /** URL of the operator side; then no configuration is read. */
  readonly admin?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Where a node is to be asked, and with what. */
export interface OperatorAddress {
  readonly url: URL;
  /** What told the address, for messages. */
  readonly source: string;
  readonly token: string | null;
  /** Why there is no token although one is configured; null if there is one, or none is. */
  readonly tokenFault: string | null;
  /** The certificate that the node has by its configuration: no other is believed, and no authority is asked. */
  readonly certificate: X509Certificate | null;
}

/**
 * Finds the operator side of a node: by its URL, or in the configuration that the node was started with. Prints what is
 * wrong and gives the exit code if there is none.
 */
export function operatorAddress(options: OperatorOptions, console: Console): OperatorAddress | ExitCode {
  const { admin } = options;
  if (admin === undefined) return fromConfig(options, console);
  const url = URL.canParse(admin) ? new URL(admin) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.pathname !== '/') {
    return failed(console, `--admin: expected an http or https URL such as http://127.0.0.1:3180/, got '${admin}'`);
  }
  const given = tokenIn(options.tokenFile, console);
  if (given.tokenFault !== null) return failed(console, given.tokenFault);
  return { url, source: '--admin', certificate: null, ...given };
}

function fromConfig(options: OperatorOptions, console: Console): OperatorAddress | ExitCode {
  const opened = openConfig(options.config, console);
  if (opened === null) return exitCodes.configuration;
  const { admin } = opened.config.listen;
  if (admin === null) return failed(console, `${opened.name}: listen.admin is null: the node has no operator side`);
  if (admin.address.port === 0) {
    return failed(console, `${opened.name}: the port of listen.admin is chosen at each start; say --admin URL`);
  }
  const { tokenFile } = options;
  const token = tokenIn(tokenFile ?? opened.config.access.operator.tokenFile ?? undefined, console);
  if (tokenFile !== undefined && token.tokenFault !== null) return failed(console, token.tokenFault);
  try {
    return {
      url: new URL(`${admin.tls === null ? 'http' : 'https'}://${reachable(admin)}/`),
      source: `listen.admin of ${opened.name}`,
      certificate: certificateOf(admin),
      ...token,
    };
  } catch (error) {
    return failed(console, `${opened.name}: listen.admin: ${messageOf(error)}`);
  }
}

/** The address as it is used on this machine: nobody can connect to "all addresses". */
function reachable({ address: { host, port } }: Listener): string {
  const loopback = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return formatListenAddress({ host: loopback, port });
}

function certificateOf({ tls }: Listener): X509Certificate | null {
  const first = tls?.[0];
  return first === undefined ? null : new X509Certificate(readFileSync(first.cert));
}

/** A token that cannot be read is no fault yet: a node on the same machine wants none. */
function tokenIn(file: string | undefined, console: Console): Pick<OperatorAddress, 'token' | 'tokenFault'> {
  if (file === undefined) return { token: null, tokenFault: null };
  try {
    const token = readFileSync(resolve(console.directory, file), 'utf8').trim();
    return token === '' ? { token: null, tokenFault: `${file} is empty` } : { token, tokenFault: null };
  } catch (error) {
    return { token: null, tokenFault: `the token cannot be read: ${messageOf(error)}` };
  }
}

function failed(console: Console, message: string): ExitCode {
  console.err(`willis: ${message}\n`);
  return exitCodes.failure;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
