import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lease, Leases } from '../../src/cluster/lease.ts';

/** The leases of two instances, over the same lease service. */
export interface OpenedLeases {
  readonly one: Leases;
  readonly other: Leases;
  /** How long a lease lasts that is not extended; absent where none runs out. */
  readonly ttlMs?: number;
  /** Whether there is anybody to share with: false grants every lease. */
  readonly exclusive: boolean;
  close(): Promise<void>;
}

/** What every lease service promises: see the port. */
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

    test('a lease that was granted holds', async () => {
      const lease = await acquire(opened.one);
      expect(lease.lost.aborted).toBe(false);
      expect(lease.isHeld?.() ?? true).toBe(true);
    });

    test('nobody else gets a lease while it is held, and the next one does after its release', async () => {
      if (!opened.exclusive) return;
      const lease = await acquire(opened.one);
      expect(await opened.other.acquire(1)).toBeUndefined();
      expect(await opened.one.acquire(1)).toBeUndefined();
      await lease.release();
      expect(lease.isHeld?.()).toBe(false);
      const next = await acquire(opened.other);
      expect(next.lost.aborted).toBe(false);
      expect(await opened.one.acquire(1)).toBeUndefined();
    });

    test('the packages do not disturb each other', async () => {
      const [one, other] = [await acquire(opened.one, 1), await acquire(opened.other, 2)];
      await one.release();
      expect(other.lost.aborted).toBe(false);
      await acquire(opened.other, 1);
    });

    test('one of many who ask at once gets it', async () => {
      if (!opened.exclusive) return;
      const all = Array.from({ length: 20 }, (_, each) => (each % 2 ? opened.one : opened.other).acquire(7));
      // Over several nodes all of them may get in each other's way.
      const granted = (await Promise.all(all)).filter((lease) => lease !== undefined);
      expect(granted.length).toBeLessThanOrEqual(1);
      await Promise.all(granted.map((lease) => lease.release()));
      await acquire(opened.other, 7);
    });

    test('a lease outlives its time to live for as long as its holder does', async () => {
      const lease = await acquire(opened.one);
      await sleep((opened.ttlMs ?? 0) * 2.2);
      expect(lease.lost.aborted).toBe(false);
      expect(lease.isHeld?.() ?? true).toBe(true);
      if (opened.exclusive) expect(await opened.other.acquire(1)).toBeUndefined();
    });

    test('releasing twice, or after closing, harms nobody', async () => {
      const lease = await acquire(opened.one);
      await lease.release();
      const next = await acquire(opened.other);
      await lease.release();
      if (opened.exclusive) expect(await opened.one.acquire(1)).toBeUndefined();
      await opened.one.close();
      await lease.release();
      expect(next.lost.aborted).toBe(false);
    });

    test('it answers', async () => {
      await opened.one.ping();
    });

    test('closing gives up every lease', async () => {
      await acquire(opened.one, 1);
      await acquire(opened.one, 2);
      await opened.one.close();
      await acquire(opened.other, 1);
      await acquire(opened.other, 2);
    });
  });
}
