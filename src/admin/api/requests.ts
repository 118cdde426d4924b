import { z } from 'zod';
import { noticeChannels } from '../../domain/notices.ts';
import type { OrderStatus } from '../../domain/order.ts';
import { emailInput } from '../../http/email.ts';
import {
  packagesQuery as customersQuery,
  packageIdField,
  packageIdInput,
  shortText,
} from '../../http/inputs.ts';
import { priceMax, quotaMax } from '../package-service.ts';

/* The requests of the admin API. The same schemas check the requests and describe them in the OpenAPI document. */

const timeAdvice = 'must be an ISO time with its zone, for example 2030-01-01T09:00:00Z';

/** An ISO time. The output is the Unix time in ms. */
const timeInput = z.iso
  .datetime({ offset: true, error: timeAdvice })
  .transform((text) => Date.parse(text))
  .refine(Number.isSafeInteger, { error: timeAdvice });

const flight = shortText(100, 'must be the name of a flight').regex(/[^ ]/, 'must not be blank');
const stay = z.iso.date({ error: 'must be a night as an ISO date, for example 2030-01-01' });
const price = wholeUpTo(priceMax).meta({ description: 'In whole units of the currency.' });
const quota = wholeUpTo(quotaMax).meta({ description: 'Places on sale in total.' });
const paused = z.boolean().meta({ description: 'While paused nobody can buy; the queue keeps its order.' });
const listed = z.boolean().meta({
  description: 'False: in no list of customers. Who knows its id can buy it.',
});

function wholeUpTo(max: number) {
  const advice = `must be a whole number, 0 to ${max}`;
  return z.int({ error: advice }).min(0, advice).max(max, advice);
}

export const newPackageBody = z.strictObject(
  {
    id: packageIdInput.exactOptional().meta({ description: 'Absent: the next that is free.' }),
    flight,
    stay,
    price,
    quota,
    opensAt: timeInput.exactOptional(),
    closesAt: timeInput.exactOptional(),
    paused: paused.exactOptional(),
    listed: listed.exactOptional(),
  },
  { error: 'must be an object with flight, stay, price and quota' },
);

export const packageUpdateBody = z.strictObject(
  {
    version: z.int({ error: 'must be the version that was read' }).min(1).meta({
      description: 'The version that was read: a change made meanwhile is not overwritten unseen.',
    }),
    flight: flight.exactOptional(),
    stay: stay.exactOptional(),
    price: price.exactOptional(),
    quota: quota.exactOptional().meta({ description: 'Never below held + confirmed.' }),
    opensAt: timeInput.nullable().exactOptional().meta({ description: 'Null: no limit.' }),
    closesAt: timeInput.nullable().exactOptional().meta({ description: 'Null: no limit.' }),
    paused: paused.exactOptional(),
    listed: listed.exactOptional(),
  },
  { error: 'must be an object with the version that was read and what is to be changed' },
);

export const eraseBody = z.strictObject({ email: emailInput }, { error: 'must be an object with email' });

const statuses = [
  ...(['queued', 'held', 'payable', 'compensating', 'confirmed', 'cancelling'] as const),
  ...(['failed', 'rejected', 'withdrawn', 'cancelled'] as const),
] satisfies OrderStatus[];

const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((text) => text === 'true');
export const packagesQuery = customersQuery.extend({
  archived: flag.exactOptional().meta({ description: 'True: those that are archived, and only those.' }),
});

const cursor = shortText(100).meta({ description: '`next` of the page before. Absent: the first page.' });
const limit = z
  .string()
  .regex(/^([1-9]\d?|1\d\d|200)$/, 'must be a whole number, 1 to 200')
  .transform(Number);

export const ordersQuery = z.object({
  stuck: flag.exactOptional().meta({ description: 'Only those that are stuck or slow, the worst first.' }),
  package: packageIdField.exactOptional(),
  status: z.enum(statuses).exactOptional(),
  cursor: cursor.regex(/^\d{1,15}-\d{1,15}$/, 'must be `next` of another page').exactOptional(),
  limit: limit.exactOptional(),
});

const momentAdvice =
  'must be a date or an ISO time with its zone, for example 2030-01-01 or 2030-01-01T09:00:00Z';

/** An ISO date, which stands for its beginning in UTC, or an ISO time. The output is the Unix time in ms. */
const momentInput = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], { error: momentAdvice })
  .transform((text) => Date.parse(text))
  .refine(Number.isSafeInteger, { error: momentAdvice });

const momentNote = 'A date stands for its beginning in UTC.';

export const exportQuery = z
  .strictObject({
    package: packageIdField.exactOptional(),
    status: z.enum(statuses).exactOptional(),
    from: momentInput
      .exactOptional()
      .meta({ description: `Only orders that were made then or later. ${momentNote}` }),
    to: momentInput.exactOptional().meta({ description: `Only orders that were made before. ${momentNote}` }),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'must be after from',
  });

export const ordersSearchBody = z.strictObject(
  {
    email: emailInput,
    cursor: ordersQuery.shape.cursor,
    limit: z
      .int({ error: 'must be a whole number, 1 to 200' })
      .min(1, 'must be a whole number, 1 to 200')
      .max(200, 'must be a whole number, 1 to 200')
      .exactOptional(),
  },
  { error: 'must be an object with email' },
);

export const changesQuery = z.object({
  cursor: cursor.regex(/^\d{1,15}-[\w-]+$/, 'must be `next` of another page').exactOptional(),
  limit: limit.exactOptional(),
});

export const deadLettersQuery = z.object({
  cursor: cursor.regex(/^\d{1,15}-[\w.-]+$/, 'must be `next` of another page').exactOptional(),
  limit: limit.exactOptional(),
});

/** The most ids of dead letters in one request. */
const idsMax = 200;
const idsAdvice = `must be 1 to ${idsMax} ids of dead letters`;
const deadLetterId = z.string().regex(/^[\w-]{1,40}\.[a-z]{1,20}\.[a-z]{1,20}$/, idsAdvice);

export const deadLetterIds = z
  .array(deadLetterId, { error: idsAdvice })
  .min(1, idsAdvice)
  .max(idsMax, idsAdvice);

export const noticeChannelInput = z.enum(noticeChannels, {
  error: `must be one of ${noticeChannels.join(', ')}`,
});

const selectionAdvice = 'must be an object with either ids or channel';
export const deadLettersBody = z
  .strictObject(
    {
      ids: deadLetterIds.exactOptional(),
      channel: noticeChannelInput
        .exactOptional()
        .meta({ description: 'Instead of `ids`: all dead letters of this channel.' }),
    },
    { error: selectionAdvice },
  )
  .refine(({ ids, channel }) => (ids === undefined) !== (channel === undefined), {
    error: selectionAdvice,
  })
  .meta({ oneOf: [{ required: ['ids'] }, { required: ['channel'] }] });

export const auditQuery = z.object({
  clockSkewMs: z
    .string()
    .regex(/^\d{1,9}$/, 'must be whole milliseconds')
    .transform(Number)
    .exactOptional()
    .meta({ description: 'How far the clocks of instances may be apart before a claim counts as unfair.' }),
});

export const instanceIdInput = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be the name of an instance')
  .meta({ description: "An instance's name." });
