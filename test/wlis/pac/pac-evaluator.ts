import { createPacResolver } from 'pac-resolver';
import { QuickJS } from 'quickjs-wasi';

/** What a proxy auto-configuration file tells a browser of a URL. */
export type PacEvaluation = (url: string, host?: string) => Promise<string>;

/** Evaluates a file as programs do that obey it, with the functions that it may use. */
export async function evaluatePac(text: string): Promise<PacEvaluation> {
  return createPacResolver(await QuickJS.create(), text);
}
