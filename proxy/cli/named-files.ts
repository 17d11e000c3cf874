import type { ConfigProblem } from '../../config/config-error.js';
import type { LoadedConfig } from '../../config/load.js';
import { FileContents } from '../roles/file-contents.js';
import type { KeyProblem } from '../roles/refused-configuration.js';

/** What is wrong with the files that a configuration names: unreadable, not PEM, or a key of another certificate. */
export const problemsOfFiles = (loaded: LoadedConfig): ConfigProblem[] =>
  placed(new FileContents(loaded.config).problems, loaded);

/** Problems of keys with where the keys stand. */
export const placed = (problems: readonly KeyProblem[], loaded: LoadedConfig): ConfigProblem[] =>
  problems.map(({ key, expected, got }) => ({ ...loaded.positionOf(key), path: key, expected, got, hint: null }));
