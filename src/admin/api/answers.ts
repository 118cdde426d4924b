import { z } from 'zod';
import { errorCatalogue } from '../../domain/errors.ts';
import { orderAnswer, packageAnswer } from '../../http/api/views.ts';
import { operatorActions } from '../../storage/operator-log.ts';

/* What the operators' API answers. */

const count = z.int().min(0);
const figure = z.number().min(0);
const isoTime = packageAnswer.shape.opensAt.unwrap();
const instance = z.string().meta({ description: "An instance's name." });
const series = z.array(figure).meta({ description: 'The oldest first.' });
const next = z
  .string()
  .exactOptional()
  .meta({ description: 'The cursor of the next page, if there is one.' });

const recent = z
  .object({ purchasesPerS: figure, batchSize: figure, commitMs: figure })
  .meta({ description: 'Over the last ten seconds.' });

const activityAnswer = z.object({
  bucketMs: figure,
  endedAt: isoTime,
  purchasesPerS: series,
  batchSize: series,
  commitMs: series,
  recent,
  mailbox: count.meta({ description: 'Messages that wait for their commit.' }),
});

/** What operators create and change. */
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
export const packageStatusesAnswer = z.object({ packages: z.array(packageStatusAnswer) });

const loadAnswer = z.object({
  packages: count,
  mailbox: count,
  sagas: count,
  sockets: count,
  eventLoopLagMs: figure,
  rssBytes: count,
  purchasesPerS: figure,
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
  suppliersAvailable: z
    .boolean()
    .exactOptional()
    .meta({ description: 'Whether the suppliers answer it; while not, the queues of its packages wait.' }),
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
  concern: z
    .enum(['stuck', 'slow'])
    .exactOptional()
    .meta({ description: 'Held, compensating or cancelling for 30 s (stuck) or 5 s (slow).' }),
});
export const operatedOrdersAnswer = z.object({ orders: z.array(operatedOrderAnswer), next });

export const erasedAnswer = z.object({
  erased: count.meta({ description: 'Orders from which the email is gone.' }),
  left: count.meta({ description: 'Orders that are not finished and still have it: repeat when they are.' }),
});

export const auditAnswer = z.object({
  ok: z.boolean().meta({ description: 'No findings.' }),
  packages: count,
  orders: count,
  reservations: count,
  publicReservations: count,
  suppliersRead: z.boolean(),
  inMotion: z.array(z.int()).meta({ description: 'Packages that never stood still while they were read.' }),
  findings: z.array(
    z.object({
      rule: z.enum(['Q1', 'Q3', 'Q5', 'Q7', 'Q8']),
      packageId: z.int().exactOptional(),
      orderId: z.string().exactOptional(),
      message: z.string(),
    }),
  ),
});

const operatorAnswer = z.object({
  name: z.string(),
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
