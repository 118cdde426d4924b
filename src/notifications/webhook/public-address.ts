import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { DeliveryError } from '../channel.ts';

/** IPv4 ranges without public addresses (RFC 6890 and the registry of special-purpose addresses). */
const specialV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** Public IPv6 addresses are in `2000::/3`, except these, some of which lead to any IPv4 address. */
const specialV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const special = new BlockList();
const global6 = new BlockList();
for (const range of specialV4) addRange(special, range, 'ipv4');
for (const range of specialV6) addRange(special, range, 'ipv6');
addRange(global6, '2000::/3', 'ipv6');

function addRange(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', prefix] = range.split('/');
  list.addSubnet(address, Number(prefix), family);
}

/** Whether an IP address is in the public internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  if (isIP(address) === 0) return false;
  // IPv4 addresses written as IPv6 are outside of the public range, too.
  return global6.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** @throws DeliveryError if the address is not public. */
export function requirePublic(address: string): void {
  if (!isPublicAddress(address)) throw new DeliveryError('the address is not public');
}

type Lookup = (
  host: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves host names for a socket, and refuses a name of which any address is not public. The socket connects to one of
 * the addresses that were checked, so a name cannot change its address in between.
 */
export function publicLookup(lookup: Lookup = systemLookup): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) return done(error ?? new Error('no address'), []);
      if (!addresses.every(({ address }) => isPublicAddress(address))) {
        return done(new DeliveryError('the address is not public'), []);
      }
      if (options.all === true) return done(null, addresses);
      return done(null, first.address, first.family);
    });
  };
}
