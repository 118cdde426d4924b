/** How our side ends the connection. */
export type Ending =
  /** After the server has answered, or has sent nothing for a while. */
  | 'polite'
  /** Together with the last byte. */
  | 'at once'
  /** With a reset. */
  | 'reset';

/** The bytes for one connection, generated from a seed. */
export interface RawInput {
  /** A short description. */
  readonly what: string;
  /** Written one after the other. */
  readonly writes: readonly Buffer[];
  /** Whether to wait for the answer to the first write before the next one. */
  readonly waitsForAnswer: boolean;
  readonly ending: Ending;
}
