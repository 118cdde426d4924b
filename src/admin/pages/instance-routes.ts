import type { Hono } from 'hono';
import { markup } from '../../http/pages/markup.ts';
import type { InstanceStatus } from '../instance-service.ts';
import { confirmStep } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  found,
  goOn,
  show,
  showProblem,
} from './context.ts';
import { drainEffects } from './effects.ts';

/** `/admin/instances/:id/drain` and `…/dismiss` */
export function instanceRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/instances/:id/drain', (c) => confirmDrain(c, deps))
    .post('/admin/instances/:id/drain', (c) => drain(c, deps))
    .post('/admin/instances/:id/dismiss', (c) => dismiss(c, deps));
}

async function confirmDrain(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const all = await deps.service.instances.list();
  const instance = instanceOf(c, all);
  const { id, state } = instance;
  const canBe = state === 'ready' || state === 'not_ready';
  return show(c, deps, {
    title: `Drain ${id}`,
    main: confirmStep({
      question: canBe ? `Drain ${id}?` : `${id} cannot be drained now`,
      effects: canBe ? drainEffects(instance, all) : [`It is ${state}.`],
      ...(canBe ? { action: `/admin/instances/${encodeURIComponent(id)}/drain`, yes: `Drain ${id}` } : {}),
      back: '/admin',
      ...(canBe ? {} : { backLabel: 'Back' }),
    }),
  });
}

async function drain(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const instance = instanceOf(c, await deps.service.instances.list());
  const { id, isThis } = instance;
  const outcome = await deps.service.instances.drain(c.var.operator, id);
  if (outcome.kind === 'refused') return showProblem(c, deps, outcome.code);
  const words = `${id} is draining.`;
  if (!isThis) return goOn(c, deps, '/admin', words);
  // This very process ends: whoever is sent to another page of it may find nobody there.
  return show(c, deps, {
    title: `${id} is draining`,
    main: markup`
      <h1>${words}</h1>
      <p>It served this page too. The overview comes back as soon as another instance answers here.</p>
      <p><a class="button quiet" href="/admin">Overview</a></p>`,
  });
}

async function dismiss(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const { id } = instanceOf(c, await deps.service.instances.list());
  const outcome = await deps.service.instances.dismiss(c.var.operator, id);
  if (outcome.kind === 'refused') return showProblem(c, deps, outcome.code);
  return goOn(c, deps, '/admin', `${id} is not shown any more. If it comes back, it is listed again.`);
}

function instanceOf(c: AdminContext, all: readonly InstanceStatus[]): InstanceStatus {
  return found(
    all.find(({ id }) => id === c.req.param('id')),
    'unknown_instance',
  );
}
