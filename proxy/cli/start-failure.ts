import { formatListenAddress } from '../../config/network-name.js';
import type { Config } from '../../config/schema.js';
import type { Listener } from '../../config/side-keys.js';
import { RefusedConfiguration } from '../roles/refused-configuration.js';
import { isSystemError } from './config-file.js';

/** One line that says why a node did not start and what to do about it. */
export function startFailure(error: unknown, config: Config, file: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof RefusedConfiguration ? error.cause : error;
  const reason = isSystemError(cause) ? reasons[cause.code ?? ''] : undefined;
  const found = reason === undefined ? null : failedListener(message, cause as NodeJS.ErrnoException, config);
  if (reason === undefined || found === null) return `willis: could not start: ${message}`;
  const [key, { address }] = found;
  const advice = reason.advice(address.host);
  return `listen.${key}: ${formatListenAddress(address)} ${reason.fault}. ${advice}, or change listen.${key} in ${file}.`;
}

interface Reason {
  readonly fault: string;
  readonly advice: (host: string) => string;
}

const reasons: Readonly<Record<string, Reason>> = {
  EADDRINUSE: { fault: 'is already in use', advice: () => 'Stop the program that listens there' },
  EACCES: {
    fault: 'may not be opened by this user',
    advice: () => 'Ports below 1024 need a privilege (CAP_NET_BIND_SERVICE): grant it',
  },
  EADDRNOTAVAIL: {
    fault: 'is not an address of this machine',
    advice: (host) => `Give the machine the address ${host}`,
  },
  EAFNOSUPPORT: { fault: 'is of a kind that this machine does not have', advice: () => 'Switch IPv6 on' },
  ENOTFOUND: { fault: 'has a name that cannot be resolved', advice: (host) => `Make ${host} known` },
};

/** The listener that an error of `listen` is about: by its port, its address, or the name in the message. */
function failedListener(message: string, error: NodeJS.ErrnoException, config: Config): [string, Listener] | null {
  const { address, port } = error as { address?: string; port?: number };
  const all = Object.entries(config.listen).flatMap(([key, one]): [string, Listener][] =>
    one === null ? [] : [[key, one]],
  );
  const samePort = all.filter(([, listener]) => listener.address.port === port);
  const named = all.filter(([key]) => new RegExp(`\\b${key}\\b`).test(message));
  const sameHost = samePort.filter(([, listener]) => listener.address.host === address);
  return [samePort, sameHost, named].find((some) => some.length === 1)?.[0] ?? null;
}
