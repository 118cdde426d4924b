import { isIP, isIPv6 } from 'node:net';

/** An address without its zone; an IPv4 one that came in the clothes of IPv6 as what it is. Undefined: it is none. */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0] as string;
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : undefined;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? dotted(groups[6] as number, groups[7] as number) : address;
}

/**
 * What one client is counted under: an IPv4 address, or the /64 of an IPv6 one. Whoever has an address of IPv6 has
 * 2⁶⁴ of them.
 * @param plain see {@link plainAddress}.
 */
export function clientKey(plain: string): string {
  if (!isIPv6(plain)) return plain;
  const prefix = groupsOf(plain).slice(0, 4);
  return `${prefix.map((group) => group.toString(16)).join(':')}::/64`;
}

/** An address as it stands in `X-Forwarded-For`, where some proxies add the port. */
export function forwardedAddress(entry: string): string | undefined {
  const text = entry.trim();
  const withPort = /^\[(?<v6>[^\]]*)\](?::\d+)?$|^(?<v4>[\d.]+):\d+$/.exec(text)?.groups;
  return plainAddress(withPort?.v6 ?? withPort?.v4 ?? text);
}

/** The eight groups of a valid address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const first = groupsIn(head);
  if (tail === undefined) return first;
  const last = groupsIn(tail);
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function groupsIn(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
