import type { Config } from '../../config/schema.js';
import type { DialGuardOptions } from '../forward/dial-guard.js';
import { parseAddress } from '../http/ip-address.js';
import { rangeTest } from '../http/address-test.js';

/**
 * Where the forward proxy may connect to: where the operator lets it, but in no case to the operator side of this node by
 * a loopback address, as that side takes whoever comes from there for the operator.
 */
export function proxyDestinations({ access, listen }: Config): DialGuardOptions {
  const { allow, deny } = access.destinations;
  if (listen.admin === null) return { allow, deny };
  const { host, port } = listen.admin.address;
  const address = parseAddress(host);
  return { allow, deny, closedPorts: address === null || leadsHere(address) ? [port] : [] };
}

/** Loopback, and what stands for all addresses of the machine. */
const leadsHere = rangeTest(['127.0.0.0/8', '::1/128', '0.0.0.0/32', '::/128']);
