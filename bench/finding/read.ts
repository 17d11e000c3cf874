import { read, type ReadingPlan } from './readers.js';

// The readers as a process of their own, so that nothing else makes them wait: the plan comes in, the report goes out.

const chunks: Buffer[] = [];
for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
const plan = JSON.parse(Buffer.concat(chunks).toString()) as ReadingPlan;
process.stdout.write(JSON.stringify(await read(plan)));
