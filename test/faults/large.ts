import { parseArgs } from 'node:util';
import { tryLargeBody } from './large-body.js';

// npx tsx test/faults/large.ts --mebibytes 4096
const { values } = parseArgs({ options: { mebibytes: { type: 'string', default: '256' } } });
console.log(JSON.stringify(await tryLargeBody(Number(values.mebibytes) * 1024 * 1024), null, 2));
