/** A whole number for people: `1,204`. */
export const counted = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** So many of something: `1 change`, `1,204 changes`. */
export const countOf = (value: number, word: string): string => `${counted(value)} ${value === 1 ? word : `${word}s`}`;
