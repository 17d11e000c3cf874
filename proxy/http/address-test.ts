import { contains, parseAddress, parseRange } from './ip-address.js';

/** Whether an address, in text form, is in one of the ranges. @throws TypeError for what is no address or range */
export function addressTest(entries: readonly string[]): (address: string) => boolean {
  const ranges = entries.map((entry) => {
    const range = parseRange(entry);
    if (range === null) throw new TypeError(`${entry} is no address range`);
    return range;
  });
  if (ranges.length === 0) return () => false;
  return (text) => {
    const address = parseAddress(text);
    return address !== null && ranges.some((range) => contains(range, address));
  };
}
