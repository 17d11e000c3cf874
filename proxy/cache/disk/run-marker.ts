/** What a store notes of the process that uses it. */
export interface Run {
  readonly boot: string | null;
  readonly clean: boolean;
}

export const encodeRun = (boot: string | null, clean: boolean): Buffer => Buffer.from(JSON.stringify({ boot, clean }));

/** Null for a store that was never used. What cannot be read was not left in order. */
export function parseRun(value: Buffer | undefined): Run | null {
  if (value === undefined) return null;
  try {
    const { boot, clean } = JSON.parse(value.toString()) as Run;
    return { boot, clean };
  } catch {
    return { boot: null, clean: false };
  }
}
