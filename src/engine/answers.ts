import type { ErrorCode } from '../domain/errors.ts';
import type { Answer, NotOwner } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { Refused } from './engine.ts';

export function refused(code: ErrorCode, order?: Order): Refused {
  return { kind: 'refused', code, ...(order === undefined ? {} : { order }) };
}

/**
 * Narrows an answer to the kind that the question allows, or a refusal.
 * @throws TypeError for any other kind: it answers another question.
 */
export function answerOf<Kind extends Answer['kind']>(
  kind: Kind,
  answer: Answer | NotOwner,
): Extract<Answer, { kind: Kind }> | Refused {
  if (answer.kind === 'refused') return answer;
  if (answer.kind === kind) return answer as Extract<Answer, { kind: Kind }>;
  throw new TypeError(`${answer.kind} is no answer to what was asked`);
}

/** Turns errors of operating into refusals. */
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

/** A commit could not get through in time: others were quicker, or the store was away. */
export class ContendedError extends Error {
  override readonly name = 'ContendedError';
}

/** It never was there, or was removed. */
export class UnknownPackageError extends Error {
  override readonly name = 'UnknownPackageError';
}
