import type { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import { flightAnswer, hotelAnswer, ledgerAnswer } from '../../http/api/views.ts';
import { cursorInput, flightBody, hotelBody, storedKey } from '../../http/inputs.ts';
import type { Link, Operation, Security } from '../operation.ts';
import { bodyProblems, idempotencyKeyParameter } from '../shared.ts';

const suppliersToken: Security = { scheme: 'suppliersToken' };

const key = idempotencyKeyParameter(
  'The same key gets the same answer again, until it is cancelled. Callers with the token must send one.',
);

interface Kind {
  readonly plural: 'flights' | 'hotels';
  readonly one: 'Flight' | 'Hotel';
  readonly body: z.ZodType;
  readonly example: object;
  readonly answer: z.ZodType;
  readonly refusals: readonly ErrorCode[];
  readonly links?: Readonly<Record<string, Link>>;
}

const buyer = { packageId: 1, email: 'ana@example.com' };

const kinds: readonly Kind[] = [
  {
    plural: 'flights',
    one: 'Flight',
    body: flightBody,
    example: { ...buyer, flight: 'Flight-1' },
    answer: flightAnswer,
    refusals: ['flight_unavailable', 'cancelled'],
    links: {
      reserveHotel: {
        operationId: 'reserveHotel',
        requestBody: {
          packageId: '$request.body#/packageId',
          email: '$request.body#/email',
          flightTicketNumber: '$response.body#/ticketNumber',
        },
      },
    },
  },
  {
    plural: 'hotels',
    one: 'Hotel',
    body: hotelBody,
    example: { ...buyer, stay: '2022-08-09', flightTicketNumber: 'F-7Q4M9XKD' },
    answer: hotelAnswer,
    refusals: ['hotel_unavailable', 'cancelled', 'invalid_ticket'],
  },
];

/** `http/api/suppliers.ts` */
export const supplierOperations: readonly Operation[] = kinds.flatMap((kind) => operationsOf(kind));

function operationsOf({ plural, one, body, example, answer, refusals, links }: Kind): Operation[] {
  const path = `/api/suppliers/${plural}/reservations`;
  return [
    {
      method: 'post',
      path,
      operationId: `reserve${one}`,
      tag: 'Suppliers',
      isLimited: true,
      summary: `Reserve a ${one.toLowerCase()}`,
      parameters: [key],
      body: { schema: body, example },
      answers: {
        201: { description: 'Reserved.', schema: answer, ...(links === undefined ? {} : { links }) },
      },
      problems: [...bodyProblems, ...refusals, 'unauthorized', 'store_unavailable'],
      security: { ...suppliersToken, optional: true },
    },
    {
      method: 'get',
      path,
      operationId: `list${one}Reservations`,
      tag: 'Suppliers',
      summary: 'The ledger, for audits',
      parameters: [{ in: 'query', name: 'cursor', schema: cursorInput }],
      answers: { 200: { description: 'A page of it, by key.', schema: ledgerAnswer } },
      problems: ['invalid', 'unauthorized', 'store_unavailable'],
      security: suppliersToken,
    },
    {
      method: 'delete',
      path: `${path}/{key}`,
      operationId: `cancel${one}Reservation`,
      tag: 'Suppliers',
      summary: 'Cancel a reservation',
      description: 'Also when there is none: a reservation that comes later under this key stays cancelled.',
      parameters: [{ in: 'path', name: 'key', schema: storedKey }],
      answers: { 204: { description: 'It is cancelled.' } },
      problems: ['invalid', 'unauthorized', 'store_unavailable'],
      security: suppliersToken,
    },
  ];
}
