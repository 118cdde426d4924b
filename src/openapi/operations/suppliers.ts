import { flightAnswer, hotelAnswer, ledgerAnswer } from '../../http/api/views.ts';
import { cursorInput, flightBody, hotelBody } from '../../http/inputs.ts';
import { type Definition, defineOperations, idempotencyKeyParameter } from '../operation.ts';

const security = { scheme: 'suppliersToken' } as const;
const buyer = { packageId: 1, email: 'ana@example.com' };

/** The common part of reservations at both kinds of suppliers. */
const reserve = {
  isLimited: true,
  parameters: [
    idempotencyKeyParameter(
      'The same key gets the same answer again, until it is cancelled. Callers with the token must send one.',
    ),
  ],
  security: { ...security, optional: true },
} as const;

function ledger(kind: 'Flight' | 'Hotel'): Definition {
  return {
    operationId: `list${kind}Reservations`,
    summary: 'The ledger, for audits',
    parameters: [{ in: 'query', name: 'cursor', schema: cursorInput }],
    answers: { 200: ['A page of it, by key.', ledgerAnswer] },
    problems: ['invalid'],
    security,
  };
}

function cancel(kind: 'Flight' | 'Hotel'): Definition {
  return {
    operationId: `cancel${kind}Reservation`,
    summary: 'Cancel a reservation',
    description: 'Also without a reservation: one that is made later with this key stays cancelled.',
    answers: { 204: ['It is cancelled.'] },
    security,
  };
}

/** The operations of `src/http/api/suppliers.ts`. */
export const supplierOperations = defineOperations('Suppliers', {
  'post /api/suppliers/flights/reservations': {
    ...reserve,
    operationId: 'reserveFlight',
    summary: 'Reserve a flight',
    body: { schema: flightBody, example: { ...buyer, flight: 'Flight-1' } },
    answers: {
      201: [
        'Reserved.',
        flightAnswer,
        {
          links: {
            reserveHotel: {
              requestBody: {
                packageId: '$request.body#/packageId',
                email: '$request.body#/email',
                flightTicketNumber: '$response.body#/ticketNumber',
              },
            },
          },
        },
      ],
    },
    problems: ['flight_unavailable', 'cancelled'],
  },
  'get /api/suppliers/flights/reservations': ledger('Flight'),
  'delete /api/suppliers/flights/reservations/{key}': cancel('Flight'),
  'post /api/suppliers/hotels/reservations': {
    ...reserve,
    operationId: 'reserveHotel',
    summary: 'Reserve a hotel',
    body: {
      schema: hotelBody,
      example: { ...buyer, stay: '2022-08-09', flightTicketNumber: 'F-7Q4M9XKD' },
    },
    answers: { 201: ['Reserved.', hotelAnswer] },
    problems: ['hotel_unavailable', 'cancelled', 'invalid_ticket'],
  },
  'get /api/suppliers/hotels/reservations': ledger('Hotel'),
  'delete /api/suppliers/hotels/reservations/{key}': cancel('Hotel'),
});
