import type { Json } from '../lib/json.ts';

/**
 * Membership of the cluster and requests between its instances. Delivery is best effort: a request or its answer may be
 * lost, delayed or duplicated. Senders therefore repeat requests under the same ids, and only the store decides what is
 * accepted. Losing every message loses no accepted order.
 *
 * The engine's router and placement use this port. Sending never blocks on a slow receiver, because inboxes are
 * bounded.
 */
export interface Messages {
  /** The sorted ids of the instances that announce themselves now, including this one. */
  members(): readonly string[];
  /** Calls the listener after every change of the members. Returns a function that removes the listener. */
  onMembers(listener: (members: readonly string[]) => void): () => void;
  /**
   * Sends a request to an instance's inbox and waits for the answer.
   * @throws NoAnswerError when no answer came in time, or the receiver is not a member.
   * @throws InboxFullError when the receiver's inbox is full; nothing was sent.
   * @throws MessagesUnavailableError when the transport cannot be reached.
   */
  ask(to: string, request: Json, timeoutMs: number): Promise<Json>;
  /**
   * Sets the only handler of this process. The handler gets no request whose sender has already timed out, and no
   * request twice. After a restart of the process, a request from before the restart may be delivered again.
   */
  serve(handler: RequestHandler): void;
  /**
   * Announces this instance from now on and starts to read its inbox.
   * @throws Error if another running process has the id of this instance.
   */
  join(): Promise<void>;
  /**
   * Stops the announcements, so that other instances send no new requests here. Requests that arrive are still
   * answered.
   */
  leave(): Promise<void>;
  /** Whether the transport answers. */
  readonly available: boolean;
  close(): Promise<void>;
}

/** Answers a request from another instance. */
export type RequestHandler = (request: Json, from: string) => Promise<Json>;

export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

export class InboxFullError extends Error {
  override readonly name = 'InboxFullError';
}

export class MessagesUnavailableError extends Error {
  override readonly name = 'MessagesUnavailableError';
}
