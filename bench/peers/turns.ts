import { nginx } from './nginx.js';
import type { Peer } from './peer.js';
import { squid, squidAufs, squidRock } from './squid.js';
import { trafficserver } from './trafficserver.js';
import { varnish } from './varnish.js';
import { willis } from './willis.js';

/** All peers, in the order in which they take turns. */
export const peers: readonly Peer[] = [willis, nginx, squid, squidAufs, squidRock, varnish, trafficserver];
