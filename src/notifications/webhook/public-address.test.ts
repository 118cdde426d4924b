import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { isPublicAddress, publicLookup } from './public-address.ts';

describe('an address', () => {
  test.each([
    ...['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '223.255.255.255'],
    ...['2606:4700::1111', '2a00:1450:4001::1', '2001:4860:4860::8888'],
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test.each([
    ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    // The metadata of cloud machines, carrier-grade NAT, benchmarks, documentation, multicast, broadcast.
    ...['169.254.169.254', '100.64.0.1', '198.18.0.1', '203.0.113.5', '224.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12:3456::1', 'ff02::1', '2001:db8::1'],
    // IPv4 in IPv6: mapped, compatible, NAT64, 6to4, Teredo.
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::7f00:1'],
    ...['2002:7f00:1::', '2001:0:7f00:1::1', 'localhost', '', '127.1'],
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('the look-up of a name', () => {
  const found = (...addresses: string[]) =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  function look(addresses: LookupAddress[], all: boolean): Promise<unknown> {
    const lookup = publicLookup((_host, _options, done) => done(null, addresses));
    return new Promise((resolve, reject) => {
      lookup('hotel.example', { all }, (error, ...result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
  }

  test('gives the socket the addresses that were checked', async () => {
    expect(await look(found('8.8.8.8', '2606:4700::1'), true)).toEqual([found('8.8.8.8', '2606:4700::1')]);
    expect(await look(found('8.8.8.8', '1.1.1.1'), false)).toEqual(['8.8.8.8', 4]);
  });

  test.each([[found('127.0.0.1')], [found('8.8.8.8', '10.0.0.1')], [found('8.8.8.8', '::1')]])(
    'refuses %j',
    async (addresses) => {
      await expect(look(addresses, true)).rejects.toThrow('the address is not public');
      await expect(look(addresses, false)).rejects.toThrow('the address is not public');
    },
  );

  test('fails without an address, and with the error of the resolver', async () => {
    await expect(look([], true)).rejects.toThrow('no address');
    const lookup = publicLookup((_host, _options, done) => done(new Error('ENOTFOUND'), []));
    await new Promise<void>((resolve) => {
      lookup('hotel.example', {}, (error) => {
        expect(error?.message).toBe('ENOTFOUND');
        resolve();
      });
    });
  });
});
