import type { ErrorCode } from '../domain/errors.ts';
import type { Answer, Elsewhere } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
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
  answer: Answer | Elsewhere,
): Extract<Answer, { kind: Kind }> | Refused {
  if (answer.kind === 'refused') return answer;
  if (answer.kind === kind) return answer as Extract<Answer, { kind: Kind }>;
  throw new TypeError(`${answer.kind} is no answer to what was asked`);
}
