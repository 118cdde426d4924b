/** When a connection's other end hears of its end. */
export type Ending =
  /** Once the server has said something, or nothing for a while. */
  | 'polite'
  /** With the last byte. */
  | 'at once'
  /** Without a goodbye. */
  | 'reset';

/** Bytes for one connection, drawn from a seed. */
export interface RawInput {
  /** What it is meant to be, in a few words. */
  readonly what: string;
  /** Written one after the other. */
  readonly writes: readonly Buffer[];
  /** Waits for the answer to the first write before it goes on. */
  readonly waitsForAnswer: boolean;
  readonly ending: Ending;
}
