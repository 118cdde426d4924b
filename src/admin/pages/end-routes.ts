import type { Hono } from 'hono';
import type { PackageStatus } from '../package-service.ts';
import { type ConfirmParts, confirmStep } from './confirm.ts';
import { type AdminContext, type AdminDeps, type AdminEnv, adminRouter, goOn, show } from './context.ts';
import { archiveEffects, deleteEffects, whyNotArchived } from './effects.ts';
import { packageOf, showPackage } from './package-routes.ts';
import { subjectOf } from './sale-routes.ts';

/** `/admin/packages/:id/archive` and `…/delete`: the end of a package. */
export function endRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/packages/:id/archive', (c) => confirmArchive(c, deps))
    .post('/admin/packages/:id/archive', (c) => archive(c, deps))
    .get('/admin/packages/:id/delete', (c) => confirmDelete(c, deps))
    .post('/admin/packages/:id/delete', (c) => remove(c, deps));
}

async function confirmArchive(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id } = status.package;
  const reasons = whyNotArchived(status);
  return showStep(c, deps, {
    question: `Archive package ${id}?`,
    subject: subjectOf(status),
    effects: archiveEffects(status),
    action: `${addressOf(status)}/archive`,
    yes: `Archive package ${id}`,
    back: addressOf(status),
    ...(reasons.length === 0 ? {} : not(`Package ${id} cannot be archived now`, reasons)),
  });
}

async function archive(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id } = status.package;
  const outcome = await deps.service.packages.archive(c.var.operator, id);
  if (outcome.kind === 'done') return goOn(c, deps, '/admin', `Package ${id} is archived.`);
  return showPackage(c, deps, await packageOf(c, deps), { code: outcome.code });
}

async function confirmDelete(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id } = status.package;
  const isOrdered = status.inventory.nextNumber !== 1;
  return showStep(c, deps, {
    question: `Delete package ${id}?`,
    subject: subjectOf(status),
    effects: deleteEffects(status),
    action: `${addressOf(status)}/delete`,
    yes: `Delete package ${id}`,
    back: addressOf(status),
    ...(isOrdered
      ? not(`Package ${id} cannot be deleted`, [
          'It has been ordered. Archive it when its sale has ended: its orders stay.',
        ])
      : {}),
  });
}

async function remove(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id } = status.package;
  const outcome = await deps.service.packages.delete(c.var.operator, id);
  if (outcome.kind === 'done') return goOn(c, deps, '/admin', `Package ${id} is deleted.`);
  return showPackage(c, deps, await packageOf(c, deps), { code: outcome.code });
}

/** Nothing to press, and why. */
function not(question: string, effects: readonly string[]) {
  return { question, effects, action: undefined, backLabel: 'Back' };
}

type Step = Omit<ConfirmParts, 'action'> & { readonly action: string | undefined };

function showStep(c: AdminContext, deps: AdminDeps, { action, ...step }: Step): Promise<Response> {
  const main = confirmStep({ ...step, ...(action === undefined ? {} : { action }) });
  return show(c, deps, { title: step.question.replace(/\?$/, ''), main });
}

function addressOf(status: PackageStatus): string {
  return `/admin/packages/${status.package.id}`;
}
