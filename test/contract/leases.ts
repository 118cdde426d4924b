import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lease, Leases } from '../../src/cluster/lease.ts';

/** The leases of two instances, over the same lease service. */
export interface OpenedLeases {
  readonly one: Leases;
  readonly other: Leases;
  /** Time to live of a lease that is not extended. */
  readonly ttlMs: number;
  close(): Promise<void>;
}

/** The contract of `Leases`, run on each implementation. */
export function leasesContract(name: string, open: () => Promise<OpenedLeases>): void {
  describe(`leases contract: ${name}`, () => {
    let opened: OpenedLeases;

    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    async function acquire(leases: Leases, packageId = 1): Promise<Lease> {
      const lease = await leases.acquire(packageId);
      if (lease === undefined) throw new Error(`the lease of package ${packageId} is held by another`);
      return lease;
    }

    test('a granted lease is held', async () => {
      const lease = await acquire(opened.one);
      expect(lease.lost.aborted).toBe(false);
      expect(lease.isHeld()).toBe(true);
    });

    test('a held lease is refused to others until it is released', async () => {
      const lease = await acquire(opened.one);
      expect(await opened.other.acquire(1)).toBeUndefined();
      expect(await opened.one.acquire(1)).toBeUndefined();
      await lease.release();
      expect(lease.isHeld()).toBe(false);
      const next = await acquire(opened.other);
      expect(next.lost.aborted).toBe(false);
      expect(await opened.one.acquire(1)).toBeUndefined();
    });

    test('leases of different packages are independent', async () => {
      const [one, other] = [await acquire(opened.one, 1), await acquire(opened.other, 2)];
      await one.release();
      expect(other.lost.aborted).toBe(false);
      await acquire(opened.other, 1);
    });

    test('exactly one of many concurrent requests gets the lease', async () => {
      const all = Array.from({ length: 20 }, (_, each) => (each % 2 ? opened.one : opened.other).acquire(7));
      // With several Redis nodes, concurrent requests may block each other, so that no request gets the lease.
      const granted = (await Promise.all(all)).filter((lease) => lease !== undefined);
      expect(granted.length).toBeLessThanOrEqual(1);
      await Promise.all(granted.map((lease) => lease.release()));
      await acquire(opened.other, 7);
    });

    test('the holder extends its lease beyond the time to live', async () => {
      const lease = await acquire(opened.one);
      await sleep(opened.ttlMs * 2.2);
      expect(lease.lost.aborted).toBe(false);
      expect(lease.isHeld()).toBe(true);
      expect(await opened.other.acquire(1)).toBeUndefined();
    });

    test('a second release, or a release after close, has no effect', async () => {
      const lease = await acquire(opened.one);
      await lease.release();
      const next = await acquire(opened.other);
      await lease.release();
      expect(await opened.one.acquire(1)).toBeUndefined();
      await opened.one.close();
      await lease.release();
      expect(next.lost.aborted).toBe(false);
    });

    test('ping resolves', async () => {
      await opened.one.ping();
    });

    test('close releases every lease', async () => {
      await acquire(opened.one, 1);
      await acquire(opened.one, 2);
      await opened.one.close();
      await acquire(opened.other, 1);
      await acquire(opened.other, 2);
    });
  });
}
