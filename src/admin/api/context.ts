import type { Context, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { orderView } from '../../http/api/views.ts';
import type { HttpAdmin } from '../../http/app-services.ts';
import { check } from '../../http/body.ts';
import { packageIdFrom } from '../../http/inputs.ts';
import { ProblemError } from '../../http/problem.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Operator } from '../../storage/operator-log.ts';
import type { Outcome } from '../admin-service.ts';

export interface AdminApiDeps extends HttpAdmin {
  readonly clock: Clock;
}

/** Handlers behind {@link adminApi} know who asks. */
export interface AdminApiEnv {
  readonly Variables: { readonly operator: Operator };
}

export type AdminApiContext = Context<AdminApiEnv>;

/** Lets operators pass, and nobody else. */
export function adminApi({ identity }: AdminApiDeps): MiddlewareHandler<AdminApiEnv> {
  return async (c, next) => {
    c.set('operator', await identity.identify(c));
    await next();
  };
}

/** @throws ProblemError where it was refused. */
export function done<Value>(outcome: Outcome<Value>): Value {
  if (outcome.kind === 'done') return outcome.value;
  const { code, order } = outcome;
  throw new ProblemError(code, order === undefined ? {} : { order: orderView(order) });
}

/** What is asked for behind the question mark. @throws ProblemError 422 for what does not fit. */
export function readQuery<Schema extends z.ZodType>(c: Context, schema: Schema): z.output<Schema> {
  const checked = check(schema, c.req.query());
  if ('value' in checked) return checked.value;
  throw new ProblemError('invalid', { errors: checked.errors });
}

/** @throws ProblemError 404 */
export function packageIdOf(c: Context): number {
  const id = packageIdFrom(c.req.param('id') ?? '');
  if (id === undefined) throw new ProblemError('unknown_package');
  return id;
}
