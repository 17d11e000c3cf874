import { ConfigError } from '../../config/config-error.js';
import { openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { placed, problemsOfFiles } from './named-files.js';
import { FileContents } from '../roles/file-contents.js';
import { wantedNamespaces } from '../roles/replication/wanted-namespaces.js';

/** `willis check`: whether a configuration can stand, the files that it names included. */
export function check(file: string | undefined, console: Console): ExitCode {
  const opened = openConfig(file, console);
  if (opened === null) return exitCodes.configuration;
  const ofNamespaces = wantedNamespaces(opened.config, new FileContents(opened.config)).problems;
  const problems = [...problemsOfFiles(opened), ...placed(ofNamespaces, opened)];
  if (problems.length > 0) {
    console.err(`${new ConfigError(opened.name, problems).message}\n`);
    return exitCodes.configuration;
  }
  console.out(`${opened.name}: ok\n`);
  return exitCodes.ok;
}
