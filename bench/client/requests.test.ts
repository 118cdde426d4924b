import { expect, it } from 'vitest';
import { requestMakers, UniqueNames } from './requests.ts';

const origins = ['http://a:1', 'http://b:2', 'http://c:3'];
const packages = [1, 2, 3, 4, 5, 6, 7];

/** The packages that the requests to each origin buy. */
function bought(spread: 'any' | 'hashed'): Set<number>[] {
  const load = { origins, request: { kind: 'buy', packages, spread } } as const;
  return requestMakers(load, new UniqueNames(), []).map((make, index) => {
    const requests = Array.from({ length: 200 }, make);
    for (const request of requests) expect(request).toContain(`Host: ${origins[index]?.slice(7)}\r\n`);
    const where =
      spread === 'hashed' ? /^POST \/api\/packages\/(\d+)\/orders .*\{"email"/s : /"packageId":(\d+)/;
    return new Set(requests.map((request) => Number(where.exec(request)?.[1])));
  });
}

it('buys every package at every origin', () => {
  for (const ids of bought('any')) expect(ids.size).toBe(packages.length);
});

it('buys each package always at the same origin, if requests are hashed', () => {
  const shares = bought('hashed');
  expect(shares.map(({ size }) => size)).toEqual([2, 3, 2]);
  expect(new Set(shares.flatMap((ids) => [...ids])).size).toBe(packages.length);
});
