import { accessSync, constants } from 'node:fs';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { skipWithout } from './skip-without.js';
import { TempDir } from './temp-dir.js';

export interface ChromiumOptions {
  /** `http://host:port` of a forward proxy for all pages, loopback addresses included. */
  readonly proxy?: string;
  /** URL of a file by which this browser configures its proxies. It asks none for loopback addresses, whatever the file says. */
  readonly pacUrl?: string;
  /** With what to answer when that proxy asks for a user. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Name patterns that resolve to 127.0.0.1 inside this browser, such as `*.example`. */
  readonly loopbackNames?: readonly string[];
  /** Accept certificates that no known authority has signed. */
  readonly acceptAnyCertificate?: boolean;
}

/** A browser with a profile of its own that nothing was ever stored in. */
export interface Browser {
  readonly context: BrowserContext;
  newPage(): Promise<Page>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** Starts the system's Chromium without a window; skips the test where there is none. */
export async function launchChromium(test: Mocha.Context, options: ChromiumOptions = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) return skipWithout(test, 'chromium');
  const profile = await TempDir.create();
  try {
    const context = await chromium.launchPersistentContext(profile.path, {
      executablePath,
      headless: true,
      args: browserArguments(options),
      ignoreHTTPSErrors: options.acceptAnyCertificate ?? false,
      ...(options.proxy === undefined
        ? {}
        : { proxy: { server: options.proxy, bypass: '<-loopback>', ...options.login } }),
    });
    return {
      context,
      newPage: () => context.newPage(),
      close: async () => {
        await context.close();
        await profile.remove();
      },
    };
  } catch (error) {
    await profile.remove();
    throw error;
  }
}

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function browserArguments({ loopbackNames = [], pacUrl }: ChromiumOptions): string[] {
  const rules = loopbackNames.map((name) => `MAP ${name} 127.0.0.1`).join(', ');
  return [
    ...quiet,
    ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`]),
    ...(pacUrl === undefined ? [] : [`--proxy-pac-url=${pacUrl}`]),
  ];
}

function findChromium(): string | null {
  for (const path of ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}
