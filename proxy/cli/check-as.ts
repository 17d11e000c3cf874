import type { Config } from '../../config/schema.js';
import { ConfigError } from '../../config/config-error.js';
import { isUserName } from '../../config/user-name.js';
import { parseUsers, type Users } from '../access/users-file.js';
import { errorTable, WillisError } from '../base/errors.js';
import { addressText } from '../http/address-text.js';
import { bareHost } from '../http/host-name.js';
import { parseAddress } from '../http/ip-address.js';
import { parseRequestTarget } from '../http/request-target.js';
import { hrefOf, type TargetUri } from '../http/target-uri.js';
import { FileContents } from '../roles/file-contents.js';
import { accessFindings, type Finding, type Supposed } from './access-findings.js';
import { openConfig, type OpenedConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { placed } from './named-files.js';

export interface CheckAsOptions {
  /** `CLIENT` or `CLIENT,user=NAME`. */
  readonly as: string;
  readonly method?: string;
  readonly side?: string;
  readonly url: string;
  readonly file: string | undefined;
}

/**
 * `willis check --as`: what every gate would say of a request, and with which answer it would end. 0 if it may be made, 1
 * if it is refused.
 */
export async function checkAs(options: CheckAsOptions, console: Console): Promise<ExitCode> {
  const opened = openConfig(options.file, console);
  if (opened === null) return exitCodes.configuration;
  const files = new FileContents(opened.config);
  if (files.problems.length > 0) {
    console.err(`${new ConfigError(opened.name, placed(files.problems, opened)).message}\n`);
    return exitCodes.configuration;
  }
  let supposed: Supposed;
  try {
    supposed = supposedBy(options, opened.config);
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    console.err(`willis check: ${error.message}\n`);
    return exitCodes.configuration;
  }
  const users = usersIn(opened.config, files);
  const findings = await accessFindings(supposed, { config: opened.config, users, at: placeIn(opened) });
  console.out(report(supposed, findings));
  return findings.some(({ says }) => says === 'no') ? exitCodes.failure : exitCodes.ok;
}

/** What is asked about makes no sense. */
class NotUnderstood extends Error {}

function supposedBy({ as, method, side: named, url }: CheckAsOptions, config: Config): Supposed {
  const [, address = '', , user = null] = /^([^,]*)(,user=(.*))?$/s.exec(as) ?? [];
  const client = parseAddress(bareHost(address));
  if (client === null) throw new NotUnderstood(`--as: expected an IP address, or ADDRESS,user=NAME, got '${as}'`);
  if (user !== null && !isUserName(user)) throw new NotUnderstood(`--as: '${user}' cannot be the name of a user`);
  const side = sideOf(named, config);
  const target = targetOf(url);
  const used = method?.toUpperCase() ?? (side === 'proxy' && target.scheme === 'https' ? 'CONNECT' : 'GET');
  if (!/^[A-Z][A-Z0-9_-]*$/.test(used)) throw new NotUnderstood(`--method: expected a method of HTTP, got '${used}'`);
  return { side, client: addressText(client), user: user?.normalize('NFC') ?? null, method: used, target };
}

/** By default the forward proxy, if it is opened. */
function sideOf(named: string | undefined, { listen, roles }: Config): 'proxy' | 'site' {
  const isOpen = { proxy: listen.proxy !== null && roles.includes('clientSide'), site: listen.site !== null };
  if (named !== undefined && named !== 'proxy' && named !== 'site') {
    throw new NotUnderstood(`--side: expected proxy or site, got '${named}'`);
  }
  const side = named ?? (isOpen.proxy ? 'proxy' : 'site');
  if (!isOpen[side]) throw new NotUnderstood(`this configuration opens no ${titles[side]}`);
  return side;
}

function targetOf(url: string): TargetUri {
  if (!/^https?:\/\//i.test(url)) throw new NotUnderstood(`expected an http or https URL, got '${url}'`);
  const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
  try {
    const parsed = parseRequestTarget(url.replace(/#.*$/s, ''), context);
    if ('target' in parsed) return parsed.target;
  } catch (error) {
    if (!(error instanceof WillisError)) throw error;
    throw new NotUnderstood(`${url}: ${error.message}`);
  }
  throw new NotUnderstood(`${url}: not a whole URL`);
}

function usersIn({ access }: Config, files: FileContents): Users | null {
  const { usersFile } = access.authentication;
  const read = usersFile === null ? null : parseUsers(files.text(usersFile));
  return read === null || 'faults' in read ? null : read.users;
}

/** A key with the line where it stands, if it stands there. */
const placeIn =
  (opened: OpenedConfig) =>
  (key: string): string =>
    opened.isWritten(key) ? `${key} (${opened.name}:${opened.positionOf(key).line})` : `${key} (by default)`;

const titles = { proxy: 'forward proxy', site: 'public side' } as const;

function report({ side, client, user, method, target }: Supposed, findings: readonly Finding[]): string {
  const what = method === 'CONNECT' ? `${target.host}:${target.port}` : hrefOf(target);
  const who = user === null ? client : `${user} at ${client}`;
  const lines = findings.map(({ gate, says, text }) => `  ${marks[says]} ${gate.padEnd(13)}${text}`);
  return `${[`${method} ${what}`, `by ${who}, ${titles[side]}`, '', ...lines, '', verdict(findings)].join('\n')}\n`;
}

const marks = { yes: '✓', no: '✗', note: '·' } as const;

function verdict(findings: readonly Finding[]): string {
  const code = findings.find(({ says }) => says === 'no')?.code;
  if (code === undefined) return 'Allowed.';
  const { status, title } = errorTable[code];
  return `Answered with ${status} (${code}): ${title}`;
}
