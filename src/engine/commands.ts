import type { ErrorCode } from '../domain/errors.ts';
import type {
  Answer,
  Cancel,
  Erase,
  NotOwner,
  PackageMessage,
  Purchase,
  Retry,
  UpdatePackage,
} from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { Refused } from './engine.ts';

/** A caller's message to a package without the function that answers it, so that it can travel to another instance. */
export type Command =
  | Omit<Purchase, 'caller' | 'deadlineAt' | 'waiting'>
  | Omit<Cancel, 'caller' | 'deadlineAt' | 'waiting'>
  | Omit<UpdatePackage, 'caller' | 'deadlineAt'>
  | Omit<Retry, 'caller' | 'deadlineAt'>
  | Omit<Erase, 'caller' | 'deadlineAt'>;

/** Takes commands to a package's owner, and resolves with the owner's answer. Never rejects. */
export interface Route {
  send(packageId: number, command: Command): Promise<Answer>;
  /** Withdraws an order whose caller hung up. Best effort. */
  withdraw(packageId: number, orderId: string): void;
}

export type CommandMessage = Extract<PackageMessage, { caller: unknown }>;

/** Makes the message for the actor. `deadlineAt` is in ms since the epoch. */
export function toMessage(command: Command, deadlineAt: number, caller: Purchase['caller']): CommandMessage {
  return { ...command, deadlineAt, caller };
}

export function refused(code: ErrorCode, order?: Order): Refused {
  return { kind: 'refused', code, ...(order === undefined ? {} : { order }) };
}

/**
 * Narrows an answer to the kind that the command expects, or a refusal.
 * @throws TypeError for an answer of another kind.
 */
export function answerOf<Kind extends Answer['kind']>(
  kind: Kind,
  answer: Answer | NotOwner,
): Extract<Answer, { kind: Kind }> | Refused {
  if (answer.kind === 'refused') return answer;
  if (answer.kind === kind) return answer as Extract<Answer, { kind: Kind }>;
  throw new TypeError(`${answer.kind} is no answer to this command`);
}

/** Turns operating errors into refusals. */
export async function answered<T>(work: () => Promise<T | Refused>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return refused('store_unavailable');
    if (error instanceof UnknownPackageError) return refused('unknown_package');
    if (error instanceof ContendedError) return refused('overloaded');
    throw error;
  }
}

/** A commit did not succeed in time, because other commits were quicker or the store was away. */
export class ContendedError extends Error {
  override readonly name = 'ContendedError';
}

/** The package never existed, or was removed. */
export class UnknownPackageError extends Error {
  override readonly name = 'UnknownPackageError';
}
