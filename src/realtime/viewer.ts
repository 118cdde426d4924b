/** One connection as the fan-out sees it. Nothing here throws, and nothing waits. */
export interface Viewer {
  /** Hands over one message, as a whole frame. Every viewer is given the same bytes: never write to them. */
  send(frame: Buffer): void;
  /** What was handed over and has not left this process yet. */
  bufferedBytes(): number;
  /** Says goodbye with a close code (RFC 6455, section 7.4). */
  close(code: number, reason: string): void;
  /** Ends the connection of somebody who does not read: a goodbye would only join the queue. */
  terminate(): void;
}

/** RFC 6455, section 7.4.1. The pages' hx-ws does not come back after `refused`, and does after `restart`. */
export const closeCodes = { refused: 1008, restart: 1012 } as const;
