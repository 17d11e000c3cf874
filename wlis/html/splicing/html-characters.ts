/** Of ASCII. */
export const isLetter = (c: number): boolean => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;

export const isSpace = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x09 || c === 0x0c || c === 0x0d;

/** Whether the name of a tag or of an attribute does not go on with it. */
export const endsName = (c: number): boolean => c === greaterThan || c === slash || isSpace(c);

export const exclamation = 0x21;
export const ampersand = 0x26;
export const dash = 0x2d;
export const slash = 0x2f;
export const semicolon = 0x3b;
export const lessThan = 0x3c;
export const equals = 0x3d;
export const greaterThan = 0x3e;
export const question = 0x3f;
export const closingBracket = 0x5d;
