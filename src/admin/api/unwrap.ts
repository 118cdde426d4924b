import type { Result } from '../../engine/operated-engine.ts';
import { orderView } from '../../http/api/views.ts';
import { ProblemError } from '../../http/problem.ts';
import { defined } from '../../lib/defined.ts';

/** Returns the value of a result. @throws ProblemError for a refusal. */
export function unwrap<Value>(result: Result<Value>): Value {
  if (result.kind === 'done') return result.value;
  const { code, order } = result;
  throw new ProblemError(code, defined({ order: order && orderView(order) }));
}
