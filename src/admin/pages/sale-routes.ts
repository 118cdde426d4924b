import type { Hono } from 'hono';
import { z } from 'zod';
import { readForm } from '../../http/body.ts';
import { formatCount, formatNight } from '../../http/pages/format.ts';
import type { PackageStatus } from '../package-service.ts';
import { type ConfirmParts, confirmStep } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  goOn,
  show,
  showRefused,
} from './context.ts';
import { pauseEffects, quotaEffects } from './effects.ts';
import { quotaField, quotaForm } from './package-form.ts';
import { packageOf, readQuery, showPackage } from './package-routes.ts';

const quotaQuery = z.object({ quota: quotaField });

/** `/admin/packages/:id/…`: how much is on sale, and whether. */
export function saleRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/packages/:id/quota', (c) => confirmQuota(c, deps))
    .post('/admin/packages/:id/quota', (c) => changeQuota(c, deps))
    .get('/admin/packages/:id/pause', (c) => confirmPause(c, deps))
    .post('/admin/packages/:id/pause', (c) => pause(c, deps, true))
    .get('/admin/packages/:id/resume', (c) => confirmResume(c, deps))
    .post('/admin/packages/:id/resume', (c) => pause(c, deps, false));
}

async function confirmQuota(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const query = readQuery(c, quotaQuery);
  const entered = query.fields.quota ?? '';
  if ('errors' in query) {
    return showPackage(c, deps, status, { code: 'invalid', quota: entered, errors: query.errors });
  }
  const { quota } = query.value;
  if (quota < takenOf(status)) return showTooLow(c, deps, status, entered);
  if (quota === status.package.quota) {
    return goOn(c, deps, addressOf(status), `The quota is ${formatCount(quota)} already.`);
  }
  return show(c, deps, quotaStep(status, quota));
}

function quotaStep(status: PackageStatus, quota: number) {
  const { id, version, quota: was } = status.package;
  const [verb, title] = quota < was ? ['Lower', 'Lower the quota'] : ['Raise', 'Raise the quota'];
  return {
    title: `${title} of package ${id}`,
    main: confirmStep({
      question: `${title} of package ${id} from ${formatCount(was)} to ${formatCount(quota)}?`,
      subject: subjectOf(status),
      effects: quotaEffects(status, quota),
      action: `${addressOf(status)}/quota`,
      fields: { quota: String(quota), version: String(version) },
      yes: `${verb} to ${formatCount(quota)}`,
      isDangerous: quota < was,
      back: addressOf(status),
    }),
  };
}

/** With the version that the effect was shown for: when it is another now, the effect is shown again. */
async function changeQuota(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const form = await readForm(c, quotaForm);
  const entered = form.fields.quota ?? '';
  if ('errors' in form) {
    return showPackage(c, deps, status, { code: 'invalid', quota: entered, errors: form.errors });
  }
  const { id, quota: was } = status.package;
  const { quota } = form.value;
  const outcome = await deps.service.packages.update(c.var.operator, id, form.value);
  if (outcome.kind === 'done') {
    return goOn(
      c,
      deps,
      addressOf(status),
      `The quota of package ${id} is now ${formatCount(quota)}; it was ${formatCount(was)}.`,
    );
  }
  const now = await packageOf(c, deps);
  if (outcome.code === 'quota_too_low') return showTooLow(c, deps, now, entered);
  if (outcome.code !== 'version_conflict')
    return showPackage(c, deps, now, { code: outcome.code, quota: entered });
  const alert = `Somebody else has changed this package: its quota is now ${formatCount(now.package.quota)}. Check the effect again.`;
  return showRefused(c, deps, 'version_conflict', { ...quotaStep(now, quota), alert });
}

function showTooLow(
  c: AdminContext,
  deps: AdminDeps,
  status: PackageStatus,
  quota: string,
): Promise<Response> {
  const taken = takenOf(status);
  const message = `${formatCount(taken)} ${taken === 1 ? 'place is' : 'places are'} held or confirmed, so the quota cannot be lower than ${formatCount(taken)}.`;
  return showPackage(c, deps, status, { code: 'quota_too_low', quota, errors: [{ path: 'quota', message }] });
}

async function confirmPause(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id, paused } = status.package;
  const asked: ConfirmParts = {
    question: `Pause package ${id}?`,
    subject: subjectOf(status),
    effects: pauseEffects(status),
    action: `${addressOf(status)}/pause`,
    yes: `Pause package ${id}`,
    back: addressOf(status),
  };
  const already = {
    question: `Package ${id} is paused already`,
    effects: [],
    back: addressOf(status),
    backLabel: 'Back',
  };
  return show(c, deps, {
    title: `Pause package ${id}`,
    main: confirmStep(paused === true ? already : asked),
  });
}

/** Nothing leads here but an address that was typed, or kept: the button sends the form itself. */
async function confirmResume(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id, paused } = status.package;
  const { waiting } = status.inventory;
  const step: ConfirmParts =
    paused === true
      ? {
          question: `Resume package ${id}?`,
          subject: subjectOf(status),
          effects: [
            'It can be bought again at once.',
            waiting === 0
              ? 'Nobody is in its queue.'
              : `${formatCount(waiting)} in the queue ${waiting === 1 ? 'is' : 'are'} served again.`,
          ],
          action: `${addressOf(status)}/resume`,
          yes: `Resume package ${id}`,
          isDangerous: false,
          back: addressOf(status),
        }
      : { question: `Package ${id} is not paused`, effects: [], back: addressOf(status), backLabel: 'Back' };
  return show(c, deps, { title: `Resume package ${id}`, main: confirmStep(step) });
}

async function pause(c: AdminContext, deps: AdminDeps, paused: boolean): Promise<Response> {
  const status = await packageOf(c, deps);
  const { id } = status.package;
  const outcome = await deps.service.packages.setPaused(c.var.operator, id, paused);
  if (outcome.kind === 'refused') return showPackage(c, deps, status, { code: outcome.code });
  const { waiting } = status.inventory;
  const line =
    waiting === 0
      ? ''
      : ` ${formatCount(waiting)} in the queue ${paused ? (waiting === 1 ? 'keeps the position' : 'keep their positions') : waiting === 1 ? 'is served again' : 'are served again'}.`;
  return goOn(c, deps, '/admin', `Package ${id} is ${paused ? 'paused' : 'on sale again'}.${line}`);
}

function takenOf({ inventory: { held, confirmed } }: PackageStatus): number {
  return held + confirmed;
}

/** `Flight-2, Thu, 24 Dec 2026` */
export function subjectOf({ package: { flight, stay } }: PackageStatus): string {
  return `${flight}, ${formatNight(stay)}`;
}

function addressOf(status: PackageStatus): string {
  return `/admin/packages/${status.package.id}`;
}
