import type { Hono } from 'hono';
import type { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { PackageUpdate } from '../../domain/messages.ts';
import { salePhase, type TravelPackage } from '../../domain/travel-package.ts';
import { packageIdFrom, shownMax } from '../../http/inputs.ts';
import { tripSearchOf } from '../../http/pages/trip-search.ts';
import type { FieldError } from '../../http/problem.ts';
import { readForm } from '../../http/request.ts';
import type { NewPackage, PackageStatus } from '../package-service.ts';
import { confirmStep } from './confirm.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  adminSetting,
  found,
  goOn,
  show,
  showRefused,
} from './context.ts';
import { formatCount } from './format.ts';
import { createForm, editForm, fieldsOf, type PackageFields } from './package-form.ts';
import { newPackagePage, type PackagePageState, packageListPage, packagePage } from './package-pages.ts';

/** How many orders the page of a package shows. */
const ordersShown = 20;

/** `/admin/packages`: find packages. `/admin/packages/:id`: create, look at, and edit a package. */
export function packageRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/packages/new', (c) => showNew(c, deps))
    .get('/admin/packages', (c) => showList(c, deps, 'current'))
    .get('/admin/packages/archived', (c) => showList(c, deps, 'archived'))
    .post('/admin/packages', (c) => create(c, deps))
    .get('/admin/packages/:id', async (c) => showPackage(c, deps, await packageOf(c, deps)))
    .post('/admin/packages/:id', (c) => edit(c, deps));
}

/** The package whose id is in the URL. @throws ProblemError 404 */
export async function packageOf(c: AdminContext, { service }: AdminDeps): Promise<PackageStatus> {
  const id = packageIdFrom(c.req.param('id') ?? '');
  return found(id === undefined ? undefined : await service.packages.get(id), 'unknown_package');
}

type Refusal = Omit<PackagePageState, 'status' | 'orders'> & { readonly code: ErrorCode };

/** Shows the page of a package. `refusal` says why a change was not made. */
export async function showPackage(
  c: AdminContext,
  deps: AdminDeps,
  status: PackageStatus,
  refusal?: Refusal,
): Promise<Response> {
  const packageId = status.package.id;
  const { items: orders } = await deps.service.orders.list({ packageId, limit: ordersShown });
  const parts = packagePage(adminSetting(c, deps), { status, orders, ...refusal });
  return refusal === undefined ? show(c, deps, parts) : showRefused(c, deps, refusal.code, parts);
}

async function showNew(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const entered = {
    id: String(await deps.service.packages.freeId()),
    quota: '',
    paused: false,
    unlisted: false,
    ...{ flight: '', stay: '', price: '', opensAt: '', closesAt: '' },
  };
  return show(c, deps, newPackagePage(adminSetting(c, deps), { entered }));
}

async function showList(c: AdminContext, deps: AdminDeps, group: 'current' | 'archived'): Promise<Response> {
  const search = tripSearchOf(c.req.query());
  const { flight, night, page = 1 } = search;
  const from = { index: (page - 1) * shownMax };
  const found = await deps.service.packages.list({ group, flight, stay: night, from, limit: shownMax });
  const now = deps.clock.now();
  const rows = await deps.rows.draw(found.items, now);
  return show(c, deps, packageListPage(group, { search, ...found }, { rows, now }));
}

async function create(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const form = await readForm(c, createForm);
  const refuse = (code: ErrorCode, errors: readonly FieldError[]) => {
    const { id = '', quota = '', paused, unlisted } = form.fields;
    const checks = { paused: paused === 'on', unlisted: unlisted === 'on' };
    const entered = { ...enteredIn(form.fields), id, quota, ...checks };
    return showRefused(c, deps, code, newPackagePage(adminSetting(c, deps), { entered, errors }));
  };
  if ('errors' in form) return refuse('invalid', form.errors);
  const { paused, unlisted, ...params } = form.value;
  const checks = {
    ...(paused === 'on' ? { paused: true } : {}),
    ...(unlisted === 'on' ? { listed: false } : {}),
  };
  const wanted = without({ ...params, ...checks }) as NewPackage;
  const outcome = await deps.service.packages.create(c.var.operator, wanted);
  if (outcome.kind === 'done') {
    const { id } = outcome.value;
    return goOn(
      c,
      deps,
      `/admin/packages/${id}`,
      `Package ${id} is created${paused === 'on' ? ', and paused' : ''}.`,
    );
  }
  const isTaken = outcome.code === 'package_exists';
  return refuse(outcome.code, isTaken ? [{ path: 'id', message: 'is taken' }] : []);
}

async function edit(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const status = await packageOf(c, deps);
  const stored = status.package;
  const form = await readForm(c, editForm);
  const entered = enteredIn(form.fields);
  if ('errors' in form)
    return showPackage(c, deps, status, { code: 'invalid', entered, errors: form.errors });
  const { version } = form.value;
  if (version !== stored.version) {
    return showPackage(c, deps, status, {
      code: 'version_conflict',
      entered,
      alert: conflictWords(stored, entered),
    });
  }
  const change = changeOf(stored, entered, form.value);
  const listing = form.value.unlisted === 'on' ? { unlisted: 'on' } : {};
  if (Object.keys(change).length === 1) {
    return goOn(c, deps, `/admin/packages/${stored.id}`, 'Nothing to save: nothing has changed.');
  }
  const closes = closingPhase(stored, change, deps.clock.now());
  if (closes !== undefined && form.value.confirmed !== 'yes') {
    return show(c, deps, {
      title: `End the sale of package ${stored.id}`,
      main: confirmStep({
        question: `End the sale of package ${stored.id}?`,
        effects: closingEffects(status, closes),
        action: `/admin/packages/${stored.id}`,
        fields: { ...entered, ...listing, version: String(version), confirmed: 'yes' },
        yes: 'Save and end the sale',
        back: `/admin/packages/${stored.id}`,
      }),
    });
  }
  const outcome = await deps.service.packages.update(c.var.operator, stored.id, change);
  if (outcome.kind === 'done') {
    const names = Object.keys(change).filter((name) => name !== 'version');
    return goOn(
      c,
      deps,
      `/admin/packages/${stored.id}`,
      `Package ${stored.id} is saved. Changed: ${names.map((name) => fieldWords[name] ?? name).join(', ')}.`,
    );
  }
  const now = await packageOf(c, deps);
  const alert = outcome.code === 'version_conflict' ? { alert: conflictWords(now.package, entered) } : {};
  return showPackage(c, deps, now, { code: outcome.code, entered, ...alert });
}

const fieldWords: Readonly<Record<string, string>> = {
  flight: 'flight',
  stay: 'night',
  price: 'price',
  opensAt: 'opening',
  closesAt: 'closing',
  listed: 'listing',
};

/** The entered fields that differ from the stored package. The log then names only changed fields. */
function changeOf(
  stored: TravelPackage,
  entered: PackageFields,
  { version, ...value }: z.output<typeof editForm>,
): PackageUpdate {
  const was = fieldsOf(stored);
  const isListed = value.unlisted !== 'on';
  const isNew = (name: keyof PackageFields) => entered[name].trim() !== was[name];
  return {
    version,
    ...(isNew('flight') ? { flight: value.flight } : {}),
    ...(isNew('stay') ? { stay: value.stay } : {}),
    ...(isNew('price') && value.price !== stored.price ? { price: value.price } : {}),
    ...(isNew('opensAt') && value.opensAt !== stored.opensAt ? { opensAt: value.opensAt ?? null } : {}),
    ...(isNew('closesAt') && value.closesAt !== stored.closesAt ? { closesAt: value.closesAt ?? null } : {}),
    ...(isListed === (stored.listed ?? true) ? {} : { listed: isListed }),
  };
}

/** The phase that an edit would give to an open sale. Undefined if the sale stays open, or is not open now. */
function closingPhase(
  stored: TravelPackage,
  { opensAt = stored.opensAt ?? null, closesAt = stored.closesAt ?? null }: PackageUpdate,
  now: number,
): 'not_open' | 'closed' | undefined {
  if (salePhase(stored, now) !== 'open') return undefined;
  const { opensAt: _opens, closesAt: _closes, ...rest } = stored;
  const next = {
    ...rest,
    ...(opensAt === null ? {} : { opensAt }),
    ...(closesAt === null ? {} : { closesAt }),
  };
  const phase = salePhase(next, now);
  return phase === 'open' ? undefined : phase;
}

/** The alert after a version conflict. It names the stored values, because the form shows the entered ones. */
function conflictWords(stored: TravelPackage, entered: PackageFields): string {
  const is = fieldsOf(stored);
  const names = Object.keys(is) as (keyof PackageFields)[];
  const differences = names
    .filter((name) => is[name] !== entered[name].trim())
    .map((name) => `${fieldWords[name]} ${is[name] === '' ? 'none' : is[name]}`);
  return (
    'Somebody else changed this package while you were editing it. ' +
    (differences.length === 0
      ? `It is as you entered it, with a quota of ${formatCount(stored.quota)}.`
      : `It is now: ${differences.join(', ')}. The form has what you entered: save again to overwrite it.`)
  );
}

function enteredIn(fields: Readonly<Record<string, string>>): PackageFields {
  const { flight = '', stay = '', price = '', opensAt = '', closesAt = '' } = fields;
  return { flight, stay, price, opensAt, closesAt };
}

function without(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The effects of an edit that ends an open sale. */
function closingEffects({ inventory: { waiting } }: PackageStatus, phase: 'not_open' | 'closed'): string[] {
  return [
    phase === 'closed'
      ? 'With this time the sale closes at once, and purchases are refused.'
      : 'With this time the sale is no longer open, and purchases are refused until then.',
    waiting === 0
      ? 'Nobody is in its queue.'
      : `${formatCount(waiting)} in the queue ${waiting === 1 ? 'keeps the position and is' : 'keep their positions and are'} still served.`,
  ];
}
