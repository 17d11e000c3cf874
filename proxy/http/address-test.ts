import { contains, parseAddress, parseRange, type IpAddress } from './ip-address.js';

/** Whether an address, in text form, is in one of the ranges. @throws TypeError for what is no address or range */
export function addressTest(entries: readonly string[]): (address: string) => boolean {
  if (entries.length === 0) return () => false;
  const isInside = rangeTest(entries);
  // one client asks many times in a row
  let last = { text: '', is: false };
  return (text) => {
    if (text === last.text) return last.is;
    const address = parseAddress(text);
    last = { text, is: address !== null && isInside(address) };
    return last.is;
  };
}

/** The same for an address that was parsed already. */
export function rangeTest(entries: readonly string[]): (address: IpAddress) => boolean {
  const ranges = entries.map((entry) => {
    const range = parseRange(entry);
    if (range === null) throw new TypeError(`${entry} is no address range`);
    return range;
  });
  return (address) => ranges.some((range) => contains(range, address));
}
