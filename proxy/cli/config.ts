import { toYaml } from '../../config/load.js';
import { referenceTables } from '../../config/reference.js';
import { jsonSchema } from '../../config/schema.js';
import { openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';

/** `willis config`: the effective configuration, defaults and variables filled in, as YAML. */
export function printConfig(file: string | undefined, console: Console): ExitCode {
  const opened = openConfig(file, console);
  if (opened === null) return exitCodes.configuration;
  console.out(toYaml(opened.config));
  return exitCodes.ok;
}

/** `willis config --schema`: the JSON Schema of the file, for editors. */
export function printSchema(console: Console): ExitCode {
  console.out(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return exitCodes.ok;
}

/** `willis config --reference`: the tables of all keys, in Markdown. */
export function printReference(console: Console): ExitCode {
  console.out(referenceTables(jsonSchema()));
  return exitCodes.ok;
}
