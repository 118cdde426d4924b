import { z } from 'zod';
import { errorCatalogue } from '../../domain/errors.ts';
import { noticeChannels, noticeEvents } from '../../domain/notices.ts';
import type { TravelPackage } from '../../domain/travel-package.ts';
import { orderAnswer, orderView, packageAnswer, packageView } from '../../http/api/views.ts';
import { defined } from '../../lib/defined.ts';
import { type OperatorEvent, operatorActions } from '../../storage/operator-log.ts';
import { type DeadLetter, noticeId } from '../../storage/outbox.ts';
import type { InstanceStatus } from '../instance-service.ts';
import type { AdminOrder } from '../order-service.ts';
import type { PackageStatus } from '../package-service.ts';

/* The answers of the admin API: their schemas, and the functions that build them. All times are ISO texts in UTC. */

const count = z.int().min(0);
const number = z.number().min(0);
const isoTime = packageAnswer.shape.opensAt.unwrap();
const instance = z.string().meta({ description: "An instance's name." });
const series = z.array(number).meta({ description: 'The oldest first.' });
const next = z
  .string()
  .exactOptional()
  .meta({ description: 'The cursor of the next page, if there is one.' });

const recent = z
  .object({ purchasesPerS: number, batchSize: number, commitMs: number })
  .meta({ description: 'Over the last ten seconds.' });

const activityAnswer = z.object({
  bucketMs: number,
  endedAt: isoTime,
  purchasesPerS: series,
  batchSize: series,
  commitMs: series,
  recent,
  mailbox: count.meta({ description: 'Messages that wait for their commit.' }),
});

export const managedPackageAnswer = z.object({
  id: packageAnswer.shape.id,
  flight: packageAnswer.shape.flight,
  stay: packageAnswer.shape.stay,
  price: packageAnswer.shape.price,
  quota: count,
  opensAt: isoTime.exactOptional(),
  closesAt: isoTime.exactOptional(),
  paused: packageAnswer.shape.paused,
  listed: packageAnswer.shape.listed,
  archived: packageAnswer.shape.archived,
  version: z.int().min(1).meta({ description: 'It grows with every change.' }),
});

export const packageStatusAnswer = z.object({
  ...packageAnswer.shape,
  version: z.int().min(1),
  cancelling: count.meta({ description: 'Those of `confirmed` whose place is being given back.' }),
  waitersMax: count.meta({ description: 'How many orders its queue takes.' }),
  obstacle: z
    .enum(['paused', 'not_open', 'sale_closed', 'sold_out', 'queue_full'])
    .exactOptional()
    .meta({ description: 'What a purchase would be refused with now.' }),
  owner: z
    .object({ instance, epoch: count, state: z.enum(['active', 'idle', 'silent', 'gone']) })
    .exactOptional()
    .meta({ description: 'The instance that last took it over; absent until somebody has bought.' }),
  activity: activityAnswer
    .exactOptional()
    .meta({ description: 'How busy its owner was with it over the last minute.' }),
});
export const packageStatusesAnswer = z.object({
  packages: z.array(packageStatusAnswer),
  next: z.string().exactOptional(),
});

const loadAnswer = z.object({
  packages: count,
  mailbox: count,
  sagas: count,
  sockets: count,
  eventLoopLagMs: number,
  rssBytes: count,
  purchasesPerS: number,
});

export const instanceAnswer = z.object({
  id: instance,
  isThis: z.boolean().meta({ description: 'Whether it is the one that answers.' }),
  state: z.enum(['ready', 'not_ready', 'draining', 'silent', 'lost']).meta({
    description:
      '`silent`: it does not answer, and nothing else is known of it then; within seconds it answers again or is lost. ' +
      '`lost`: it announces itself no more, and did not leave in order; it stays for a day, or until it is dismissed ' +
      'or comes back.',
  }),
  missing: z
    .array(z.string())
    .exactOptional()
    .meta({ description: 'What keeps it from taking orders, as `/readyz` says.' }),
  suppliersAvailable: z.boolean().exactOptional().meta({
    description:
      'Whether the suppliers answer it for most packages. The queue of a package that they do not answer waits.',
  }),
  startedAt: isoTime.exactOptional(),
  version: z.string().exactOptional(),
  load: loadAnswer.exactOptional(),
  lost: z
    .object({
      since: isoTime,
      noticedBy: instance,
      packages: count.meta({ description: 'How many it owned.' }),
      firstPackages: z.array(z.int()).meta({ description: 'The first of them by id, ten at most.' }),
      takenOver: z
        .array(z.object({ instance, packages: count }))
        .meta({ description: 'Who owns them now, as far as a thousand of them tell.' }),
      unowned: count.meta({ description: 'Those that nobody has taken over.' }),
    })
    .exactOptional(),
});
export const instancesAnswer = z.object({ instances: z.array(instanceAnswer) });
export const drainAnswer = z.object({ instance });
export const dismissAnswer = z.object({ instance });

export const operatedOrderAnswer = z.object({
  ...orderAnswer.shape,
  number: z
    .int()
    .min(1)
    .meta({ description: "The package's running number of it: places are given in this order." }),
  since: isoTime.meta({ description: 'Since when it has its status.' }),
  concern: z.enum(['stuck', 'slow']).exactOptional().meta({
    description:
      'Held, compensating or cancelling for 30 s (stuck) or 5 s (slow), or payable for so long after its time.',
  }),
});
export const operatedOrdersAnswer = z.object({ orders: z.array(operatedOrderAnswer), next });

export const erasedAnswer = z.object({
  erased: count.meta({ description: 'Orders from which the email is gone.' }),
  left: count.meta({ description: 'Orders that are not finished and still have it: repeat when they are.' }),
});

export const deadLetterAnswer = z.object({
  id: z.string(),
  packageId: z.int().min(1),
  orderId: z.string(),
  event: z.enum(noticeEvents).meta({ description: 'What happened to the order.' }),
  channel: z.enum(noticeChannels),
  at: isoTime.meta({ description: 'When it was given up.' }),
  attempts: count,
  reason: z.string().meta({ description: 'Why the last attempt failed, such as `SMTP 550` or `HTTP 500`.' }),
});
export const deadLettersAnswer = z.object({ deadLetters: z.array(deadLetterAnswer), next });

export const retriedAnswer = z.object({
  retried: count.meta({ description: 'How many are delivered again, within seconds.' }),
  outdated: count.meta({
    description:
      'How many were left because their orders have changed since, as a confirmed one that was cancelled.',
  }),
  channelOff: count.meta({
    description: 'How many were left because mails or webhooks are off at this instance.',
  }),
});

export const discardedAnswer = z.object({ discarded: count.meta({ description: 'How many are deleted.' }) });

export const auditAnswer = z.object({
  ok: z.boolean().meta({ description: 'No findings.' }),
  packages: count,
  orders: count,
  reservations: count,
  publicReservations: count,
  payments: count.exactOptional().meta({
    description: "Payments that are due or paid. Absent if the payment provider's ledger was not read.",
  }),
  paymentsElsewhere: count.exactOptional().meta({
    description:
      'Orders whose payments are at another provider than the configured one: nothing was compared.',
  }),
  suppliersRead: z.boolean(),
  inMotion: z.array(z.int()).meta({ description: 'Packages that never stood still while they were read.' }),
  findings: z.array(
    z.object({
      rule: z.enum(['Q1', 'Q3', 'Q5', 'Q6', 'Q7', 'Q8', 'Q11']),
      packageId: z.int().exactOptional(),
      orderId: z.string().exactOptional(),
      message: z.string(),
    }),
  ),
});

const operatorAnswer = z.object({
  name: z.string().meta({ description: 'As in ADMIN_TOKENS; `admin` for ADMIN_TOKEN.' }),
  via: z.enum(['token', 'session']),
  session: z.string().exactOptional(),
  address: z.string().exactOptional(),
});

export const changeAnswer = z.object({
  id: z.string(),
  at: isoTime,
  by: operatorAnswer,
  instance,
  action: z.enum(operatorActions),
  target: z.object({
    packageId: z.int().exactOptional(),
    orderId: z.string().exactOptional(),
    instance: z.string().exactOptional(),
    emailHash: z.string().exactOptional(),
  }),
  wish: z.unknown().optional().meta({ description: 'What was wanted.' }),
  before: z.unknown().optional().meta({ description: 'What was there before.' }),
  after: z.unknown().optional().meta({ description: 'What is there after it.' }),
  outcome: z.enum(['open', 'done', 'refused', 'failed']).meta({
    description: '`open`: it is being done, or its instance died over it. `failed`: it may have happened.',
  }),
  code: z
    .enum(Object.keys(errorCatalogue) as [keyof typeof errorCatalogue])
    .exactOptional()
    .meta({ description: 'Why it was refused, or failed.' }),
  endedAt: isoTime.exactOptional(),
});
export const changesAnswer = z.object({ changes: z.array(changeAnswer), next });

export function managedPackageView(managed: TravelPackage): z.output<typeof managedPackageAnswer> {
  const { id, flight, stay, price, quota, version, opensAt, closesAt, paused, listed, archived } = managed;
  return {
    ...{ id, flight, stay, price, quota },
    ...defined({ opensAt: iso(opensAt), closesAt: iso(closesAt), paused: paused || undefined }),
    ...(listed === false ? { listed } : {}),
    ...(archived === true ? { archived } : {}),
    version,
  };
}

export function packageStatusView(status: PackageStatus): z.output<typeof packageStatusAnswer> {
  const { waitersMax, obstacle, owner, activity } = status;
  return {
    ...packageView(status),
    version: status.package.version,
    cancelling: status.inventory.cancelling,
    waitersMax,
    ...defined({ obstacle, owner }),
    ...(activity && { activity: { ...structuredClone(activity), endedAt: iso(activity.endedAt) } }),
  } as z.output<typeof packageStatusAnswer>;
}

export function instanceView(status: InstanceStatus): z.output<typeof instanceAnswer> {
  if (status.state !== 'lost') {
    if (!('load' in status)) return status;
    const { failing: _, ...shown } = status;
    return { ...shown, startedAt: iso(status.startedAt) };
  }
  const { id, isThis, state, at, firstPackages, takenOver, ...rest } = status;
  const lost = { since: iso(at), ...rest, firstPackages: [...firstPackages], takenOver: [...takenOver] };
  return { id, isThis, state, lost };
}

export function adminOrderView({ order, since, health }: AdminOrder): z.output<typeof operatedOrderAnswer> {
  return {
    ...orderView(order),
    number: order.number,
    since: iso(since),
    ...defined({ concern: health }),
  };
}

export function deadLetterView(letter: DeadLetter): z.output<typeof deadLetterAnswer> {
  const { packageId, orderId, event, channel, at, attempts, reason } = letter;
  return { id: noticeId(letter), packageId, orderId, event, channel, at: iso(at), attempts, reason };
}

export function changeView({ at, endedAt, ...rest }: OperatorEvent): z.output<typeof changeAnswer> {
  return { ...rest, at: iso(at), ...defined({ endedAt: iso(endedAt) }) };
}

function iso(at: number): string;
function iso(at: number | undefined): string | undefined;
function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
