/** Randomness comes in from outside, so that the simulation can own it. */
export interface Random {
  /** Unguessable bytes. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}
