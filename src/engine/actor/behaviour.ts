/**
 * What an actor does with its messages. The loop in activation.ts calls these in turn, never two at a time:
 * `activate`, then for each batch `recall → decide → commit → adopt → perform`, and `deactivated` at the end.
 */
export interface Behaviour<State, Message, Known, Step> {
  /** Becomes the owner under a new epoch and reads the state from the store. Undefined: there is no such actor. */
  activate(id: number): Promise<State | undefined>;
  /** Runs once after `activate`: resumes what was going on. `signal` aborts when the activation ends. */
  resume(state: State, signal: AbortSignal): void;
  /** Reads from the store what the batch may already have led to. */
  loadLookups(state: State, batch: readonly Message[]): Promise<Known>;
  /** Pure: state and messages in, what changes and what to do then out. */
  decide(state: State, batch: readonly Message[], known: Known, now: number): Step;
  /**
   * Writes the step in one fenced transaction.
   * @throws GoneError, FencedError, CommitUnknownError, StoreUnavailableError, or another Error that will not pass.
   */
  commit(state: State, step: Step): Promise<void>;
  /** Makes the step the present: it is known to be applied. */
  apply(state: State, step: Step): void;
  /** Answers callers, starts sagas, tells viewers. Must not throw. */
  runEffects(state: State, step: Step, signal: AbortSignal): void;
  /** Answers those of the batch that have waited too long while the store was away; returns the others. */
  expire(batch: readonly Message[], now: number, cause: 'store' | 'owner'): Message[];
  /** Another instance owns the actor: tells the senders to look for it there. */
  redirect(batch: readonly Message[]): void;
  /** The actor does not exist, or was removed: tells the senders of these messages. */
  unknown(batch: readonly Message[]): void;
  /** Tells a message's sender that it alone could not be processed, and why. */
  drop(message: Message, error: unknown): void;
  /** The commit of these may have been applied: what each led to must be looked up when it comes again. */
  doubt(batch: readonly Message[]): Message[];
  /** Whether the actor may be passivated: nothing is going on. */
  isIdle(state: State): boolean;
  /** The activation has ended. */
  deactivated(state: State): void;
}

/** The actor's package was removed from the store. */
export class GoneError extends Error {
  override readonly name = 'GoneError';
}
