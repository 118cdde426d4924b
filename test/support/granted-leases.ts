import type { Leases } from '../../src/cluster/lease.ts';

/** Leases that are granted to every caller and never lost. */
export function grantedLeases(): Leases {
  const never = new AbortController().signal;
  return {
    acquire: async () => ({ lost: never, isHeld: () => true, release: async () => {} }),
    ping: async () => {},
    close: async () => {},
  };
}
