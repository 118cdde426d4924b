import type { Hono } from 'hono';
import { z } from 'zod';
import type { TravelPackage } from '../../domain/travel-package.ts';
import { check, readForm } from '../../http/request.ts';
import type { PackageStatus } from '../package-service.ts';
import { confirmStep, type PageAction, serveAction } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  goOn,
  show,
  showRefused,
} from './context.ts';
import { formatCount, formatNight, formatQuantity, peopleAre } from './format.ts';
import { quotaField, quotaForm } from './package-form.ts';
import { packageOf, showPackage } from './package-routes.ts';

/** `/admin/packages/:id/…`: pause, resume, archive and delete a package, and change its quota. */
export function packageActionRoutes(deps: AdminDeps): Hono<AdminEnv> {
  const { packages } = deps.service;
  const routes = adminRouter()
    .get('/admin/packages/:id/quota', (c) => confirmQuota(c, deps))
    .post('/admin/packages/:id/quota', (c) => changeQuota(c, deps));
  const serve = (name: string, { notice, ...action }: PackageActionParts) =>
    serveAction(routes, deps, {
      path: `/admin/packages/:id/${name}`,
      load: (c) => packageOf(c, deps),
      done: (c, status) => goOn(c, deps, '/admin', `Package ${status.package.id} is ${notice(status)}`),
      refused: async (c, _status, code) => showPackage(c, deps, await packageOf(c, deps), { code }),
      ...action,
    });
  serve('pause', {
    step: (status) =>
      status.package.paused === true
        ? impossible(status, 'is paused already', [])
        : step(status, 'Pause', pauseEffects(status)),
    run: (c, status) => packages.setPaused(c.var.operator, status.package.id, true),
    notice: (status) => `paused.${queueNotice(status, true)}`,
  });
  serve('resume', {
    step: (status) =>
      status.package.paused === true
        ? { ...step(status, 'Resume', resumeEffects(status)), isDangerous: false }
        : impossible(status, 'is not paused', []),
    run: (c, status) => packages.setPaused(c.var.operator, status.package.id, false),
    notice: (status) => `on sale again.${queueNotice(status, false)}`,
  });
  serve('archive', {
    step(status) {
      const reasons = whyNotArchived(status);
      if (reasons.length > 0) return impossible(status, 'cannot be archived now', reasons);
      return step(status, 'Archive', archiveEffects(status));
    },
    run: (c, status) => packages.archive(c.var.operator, status.package.id),
    notice: () => 'archived.',
  });
  serve('delete', {
    step(status) {
      if (status.inventory.nextNumber === 1) return step(status, 'Delete', deleteEffects(status));
      const reason = 'It has been ordered. Archive it when its sale has ended: its orders stay.';
      return impossible(status, 'cannot be deleted', [reason]);
    },
    run: (c, status) => packages.delete(c.var.operator, status.package.id),
    notice: () => 'deleted.',
  });
  return routes;
}

interface PackageActionParts
  extends Pick<Required<PageAction<PackageStatus, TravelPackage>>, 'step' | 'run'> {
  /** The end of the notice that begins with `Package 3 is`. */
  readonly notice: (status: PackageStatus) => string;
}

function step(status: PackageStatus, verb: string, effects: readonly string[]) {
  const name = `${verb} package ${status.package.id}`;
  return { question: `${name}?`, subject: describe(status), effects, yes: name, back: addressOf(status) };
}

function impossible(status: PackageStatus, why: string, effects: readonly string[]) {
  return {
    question: `Package ${status.package.id} ${why}`,
    subject: describe(status),
    effects,
    back: addressOf(status),
  };
}

const quotaQuery = z.object({ quota: quotaField });

async function confirmQuota(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const query = check(quotaQuery, c.req.query());
  const entered = c.req.query('quota') ?? '';
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
      subject: describe(status),
      effects: quotaEffects(status, quota),
      action: `${addressOf(status)}/quota`,
      fields: { quota: String(quota), version: String(version) },
      yes: `${verb} to ${formatCount(quota)}`,
      isDangerous: quota < was,
      back: addressOf(status),
    }),
  };
}

/**
 * The form carries the version for which the effects were shown. If the version has changed, the new effects are shown.
 */
async function changeQuota(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const form = await readForm(c, quotaForm);
  const entered = form.fields.quota ?? '';
  if ('errors' in form) {
    return showPackage(c, deps, status, { code: 'invalid', quota: entered, errors: form.errors });
  }
  const { id, quota: was } = status.package;
  const { quota } = form.value;
  const result = await deps.service.packages.update(c.var.operator, id, form.value);
  if (result.kind === 'done') {
    const notice = `The quota of package ${id} is now ${formatCount(quota)}; it was ${formatCount(was)}.`;
    return goOn(c, deps, addressOf(status), notice);
  }
  const now = await packageOf(c, deps);
  if (result.code === 'quota_too_low') return showTooLow(c, deps, now, entered);
  if (result.code !== 'version_conflict') {
    return showPackage(c, deps, now, { code: result.code, quota: entered });
  }
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
  const message = `${formatQuantity(taken, 'place is', 'places are')} held or confirmed, so the quota cannot be lower than ${formatCount(taken)}.`;
  return showPackage(c, deps, status, { code: 'quota_too_low', quota, errors: [{ path: 'quota', message }] });
}

function takenOf({ inventory: { held, confirmed } }: PackageStatus): number {
  return held + confirmed;
}

/** For example `Flight-2, Thu, 24 Dec 2026`. */
function describe({ package: { flight, stay } }: PackageStatus): string {
  return `${flight}, ${formatNight(stay)}`;
}

function addressOf(status: PackageStatus): string {
  return `/admin/packages/${status.package.id}`;
}

/** For example `312 in the queue keep their positions`, or `Nobody is in its queue.` `rest` follows the verb. */
function queueSentence(waiting: number, one: string, many: string, rest = ''): string {
  if (waiting === 0) return 'Nobody is in its queue.';
  return `${formatCount(waiting)} in the queue ${waiting === 1 ? one : many}${rest}.`;
}

function queueNotice({ inventory: { waiting } }: PackageStatus, paused: boolean): string {
  if (waiting === 0) return '';
  const [one, many] = paused
    ? ['keeps the position', 'keep their positions']
    : ['is served again', 'are served again'];
  return ` ${queueSentence(waiting, one, many)}`;
}

export function pauseEffects({ inventory: { waiting, held } }: PackageStatus): string[] {
  return [
    'From now on, purchases are refused with 503 “paused”.',
    queueSentence(waiting, 'keeps the position', 'keep their positions'),
    held === 0
      ? 'Nothing is being booked right now.'
      : `${formatQuantity(held, 'order')} being booked ${held === 1 ? 'is' : 'are'} finished as usual.`,
  ];
}

function resumeEffects({ inventory: { waiting } }: PackageStatus): string[] {
  return ['It can be bought again at once.', queueSentence(waiting, 'is served again', 'are served again')];
}

export function quotaEffects(
  { package: { quota: was, paused }, inventory }: PackageStatus,
  quota: number,
): string[] {
  const { held, confirmed, remaining, waiting } = inventory;
  const taken = held + confirmed;
  const free = quota - taken;
  const takenText = `${formatCount(taken)} ${taken === 1 ? 'is' : 'are'} held or confirmed`;
  if (quota < was) {
    const rest = free === 0 ? ', but may get nothing' : '';
    return [
      `Lowering to ${formatCount(quota)}: ${takenText}, ${formatCount(free)} ${free === 1 ? 'stays' : 'stay'} on sale.`,
      `${formatQuantity(was - quota, 'place is', 'places are')} taken off sale.`,
      queueSentence(waiting, 'keeps the position', 'keep their positions', rest),
    ];
  }
  const served = Math.min(waiting, free);
  return [
    `Raising to ${formatCount(quota)}: ${takenText}, ${formatCount(free)} ${free === 1 ? 'is' : 'are'} on sale instead of ${formatCount(remaining)}.`,
    waiting === 0
      ? 'Nobody is in its queue.'
      : `${formatCount(served)} of ${formatCount(waiting)} in the queue ${served === 1 ? 'gets a place' : 'get places'} ${paused === true ? 'when the sale is resumed' : 'at once'}, first come, first served.`,
  ];
}

export function archiveEffects({ inventory: { confirmed } }: PackageStatus): string[] {
  return [
    'It leaves the lists of customers and operators. Nobody can buy it any more.',
    confirmed === 0
      ? 'No trip of it is confirmed.'
      : `${formatQuantity(confirmed, 'confirmed order')} ${confirmed === 1 ? 'stays' : 'stay'} valid, and can still be looked up and cancelled.`,
    'It stays in the audit. Archiving cannot be undone.',
  ];
}

/** The reasons that prevent archiving, as sentences; empty if the package can be archived. */
export function whyNotArchived({
  package: { archived },
  inventory: { waiting, held, cancelling },
  obstacle,
}: PackageStatus): string[] {
  if (archived === true) return ['It is archived already.'];
  const hasEnded = obstacle === 'paused' || obstacle === 'sale_closed' || obstacle === 'sold_out';
  return [
    ...(hasEnded ? [] : ['It can still be bought. Pause it or let its sale close first.']),
    ...(waiting === 0 ? [] : [`${peopleAre(waiting)} waiting for it.`]),
    ...(held === 0 ? [] : [`${formatQuantity(held, 'order is', 'orders are')} being booked.`]),
    ...(cancelling === 0 ? [] : [`${formatQuantity(cancelling, 'order is', 'orders are')} being cancelled.`]),
  ];
}

export function deleteEffects({ package: { quota } }: PackageStatus): string[] {
  return [
    'Nobody has ordered it, so no order is lost.',
    `It is gone at once, with its ${formatQuantity(quota, 'place')}: who tries to buy it is told that there is no such trip.`,
    'This cannot be undone.',
  ];
}
