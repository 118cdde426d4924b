/** Randomness. It is passed in, so that the simulation and tests can control it. */
export interface Random {
  /** Bytes that cannot be guessed. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}
