import { randomFillSync } from 'node:crypto';

/** Randomness. Functions get it as a parameter, so that the simulation and tests can control it. */
export interface Random {
  /** Bytes that cannot be guessed. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}

const poolBytes = 4096;

/** The system's cryptographic randomness, read in pools: one system call is enough for hundreds of order ids. */
export function systemRandom(): Random {
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  const bytes = (count: number): Uint8Array => {
    if (count > poolBytes) return randomFillSync(new Uint8Array(count));
    if (used + count > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += count;
    return pool.slice(used - count, used);
  };
  return {
    bytes,
    fraction: () => new DataView(bytes(4).buffer).getUint32(0) / 2 ** 32,
  };
}
