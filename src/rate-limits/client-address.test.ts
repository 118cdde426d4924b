import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { clientResolver, type TrustedProxies } from './client-address.ts';

function client(trusted: TrustedProxies, remoteAddress: string | undefined, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientResolver(trusted).of({ socket: { remoteAddress } as Socket, headers });
}

describe('without trusted proxies', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['2001:db8::3:4:5:6:7', '2001:db8:0:3::/64'],
    ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
    ['::1:2:3', '::/64'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::/64'],
    [undefined, 'nobody'],
  ])('counts %s as %s and ignores its headers', (address, key) => {
    expect(client(0, address)).toBe(key);
    expect(client(0, address, '203.0.113.1')).toBe(key);
    expect(client(0, address, '127.0.0.1, 203.0.113.1')).toBe(key);
  });
});

describe('behind a number of trusted proxies', () => {
  it.each([
    [1, '203.0.113.1', '203.0.113.1'],
    // The client forged the first IP address.
    [1, '127.0.0.1, 8.8.8.8, 203.0.113.1', '203.0.113.1'],
    [1, undefined, '10.0.0.1'],
    [1, '', '10.0.0.1'],
    [1, 'unknown', '10.0.0.1'],
    [1, '203.0.113.1, unknown', '10.0.0.1'],
    [1, '203.0.113.1,', '10.0.0.1'],
    [1, ',', '10.0.0.1'],
    [1, '  203.0.113.1:4711 ', '203.0.113.1'],
    [1, '[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    [1, '2001:db8:1:2::9', '2001:db8:1:2::/64'],
    [1, '::ffff:203.0.113.1', '203.0.113.1'],
    [2, '8.8.8.8, 203.0.113.1, 10.0.0.2', '203.0.113.1'],
    // With fewer IP addresses than trusted proxies, the first address counts.
    [2, '203.0.113.1', '203.0.113.1'],
    [2, 'forged, 203.0.113.1', '203.0.113.1'],
  ])('with %i proxies, the X-Forwarded-For %j identifies the client %s', (hops, forwarded, key) => {
    expect(client(hops, '10.0.0.1', forwarded)).toBe(key);
  });
});

describe('behind trusted proxies that are listed by IP address', () => {
  const trusted = ['10.0.0.0/8', '::ffff:172.16.0.0/108', 'fd00::/8', '192.0.2.1'];

  it.each([
    ['10.1.2.3', '8.8.8.8, 203.0.113.1', '203.0.113.1'],
    ['::ffff:10.1.2.3', '8.8.8.8, 203.0.113.1, 10.9.9.9, fd00::7', '203.0.113.1'],
    ['172.16.5.5', '203.0.113.1', '203.0.113.1'],
    ['192.0.2.1', '203.0.113.1', '203.0.113.1'],
    // The peer is not a trusted proxy, so its header is ignored.
    ['192.0.2.2', '203.0.113.1', '192.0.2.2'],
    ['11.0.0.1', '10.0.0.1', '11.0.0.1'],
    // A client with an IP address in a trusted range can pretend to be a proxy.
    ['10.1.2.3', '8.8.8.8, 10.6.6.6', '8.8.8.8'],
    ['10.1.2.3', '10.6.6.6', '10.6.6.6'],
    ['10.1.2.3', undefined, '10.1.2.3'],
  ])('the peer %s with the X-Forwarded-For %j identifies the client %s', (peer, forwarded, key) => {
    expect(client(trusted, peer, forwarded)).toBe(key);
  });

  it('follows at most 16 proxies', () => {
    const chain = Array.from({ length: 5_000 }, () => '10.0.0.9').join(',');
    expect(client(trusted, '10.0.0.1', `8.8.8.8,${chain}`)).toBe('10.0.0.9');
  });

  it('does not count the connections of a proxy as one client', () => {
    const clients = clientResolver(trusted);
    expect(clients.ofConnection({ remoteAddress: '10.0.0.1' })).toBe(undefined);
    expect(clients.ofConnection({ remoteAddress: '::ffff:192.0.2.2' })).toBe('192.0.2.2');
    // A closed connection has no IP address.
    expect(clients.ofConnection({ remoteAddress: undefined as unknown as string })).toBe('nobody');
    expect(clientResolver(1).ofConnection({ remoteAddress: '192.0.2.2' })).toBe(undefined);
    expect(clientResolver(0).ofConnection({ remoteAddress: '192.0.2.2' })).toBe('192.0.2.2');
  });
});
