import { randomBytes } from 'node:crypto';

/** A name for bytes that have just begun to come, which is given to no others: not by this process, nor by another one. */
export const newContentName = (): string => `${ofProcess}${(count++).toString(36)}`;

/** With twelve characters in front nobody meets it again. */
const ofProcess = `${randomBytes(9).toString('base64url')}.`;
let count = 0;
