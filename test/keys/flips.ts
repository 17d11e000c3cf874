const tested = new Set<string>();

/**
 * Defines a test for a key of the configuration: it starts a node, observes the behaviour that the key governs from
 * outside, changes the key in the running node by a reload, and observes the other behaviour. `every-key.test.ts` counts
 * them: a key without one fails the build.
 * @param key as `every-key.test.ts` lists it: `sites[].host`, `listener.tls`
 */
export function flips(key: string, title: string, body: () => Promise<void>): void {
  tested.add(key);
  it(`${key}: ${title}`, body);
}

/** The keys for which there is a test in the files that have been loaded. */
export const testedKeys = (): ReadonlySet<string> => tested;
