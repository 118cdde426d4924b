import type { Json } from '../lib/json.ts';
/**
 * Requests between instances, and who is there. Best effort: a message or its answer may get lost, come late or come
 * twice, so a sender repeats itself under the same ids and acceptance happens in the store alone. All of it may vanish
 * without an accepted order being lost.
 *
 * Called by placement and by the engine's router. Never blocks on a slow receiver: its inbox is bounded.
 */
export interface Messages {
  /** The ids of the instances that announce themselves now, this one among them, sorted. */
  members(): readonly string[];
  /** Tells of every change of the members; returns how to stop. */
  onMembers(listener: (members: readonly string[]) => void): () => void;
  /**
   * Sends a request to an instance's inbox and waits for its answer.
   * @throws NoAnswerError when none came in time, or the receiver is not there.
   * @throws InboxFullError when the receiver's inbox takes no more: nothing was sent.
   * @throws MessagesUnavailableError when the carrier cannot be reached.
   */
  ask(to: string, request: Json, timeoutMs: number): Promise<Json>;
  /**
   * Answers requests from here on, one handler per process. A request past its sender's time-out is not handed over,
   * and none twice to the same process: one that was served before may be delivered again to its next life alone.
   */
  serve(handler: (request: Json, from: string) => Promise<Json>): void;
  /** Starts to announce this instance and to read its inbox. */
  join(): Promise<void>;
  /** Stops announcing it: nobody chooses it any more. Requests under way are still answered. */
  leave(): Promise<void>;
  /** Whether the carrier answers. */
  readonly available: boolean;
  close(): Promise<void>;
}

export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

export class InboxFullError extends Error {
  override readonly name = 'InboxFullError';
}

export class MessagesUnavailableError extends Error {
  override readonly name = 'MessagesUnavailableError';
}
