import type { OrderView, PackageView } from '../../http/views.ts';

/* What answers look like, to be read. A test holds them against the schemas. */

const offer = { flight: 'Flight-1', stay: '2030-01-01', price: 100 };

export const packageExample: PackageView = {
  ...{ id: 1, ...offer, quota: 50, remaining: 12, held: 3, confirmed: 35, waiting: 0 },
};

const queued = { at: '2029-06-01T09:00:00.012Z', event: 'queued' } as const;
const claimed = { at: '2029-06-01T09:00:00.012Z', event: 'claimed' } as const;

const order = {
  id: '7Q4M-9XKD-2VBN-H5TR',
  packageId: 1,
  package: offer,
  email: 'ana@example.com',
  createdAt: '2029-06-01T09:00:00.012Z',
} as const;

export const waitingExample: OrderView = { ...order, status: 'queued', queuePosition: 4, timeline: [queued] };

export const confirmedExample: OrderView = {
  ...order,
  status: 'confirmed',
  flight: { ticketNumber: 'F-7Q4M9XKD' },
  hotel: { reservationNumber: 'H-2VBNH5TR' },
  timeline: [
    claimed,
    { at: '2029-06-01T09:00:00.020Z', event: 'flight reserved', detail: 'F-7Q4M9XKD' },
    { at: '2029-06-01T09:00:00.027Z', event: 'hotel reserved', detail: 'H-2VBNH5TR' },
    { at: '2029-06-01T09:00:00.031Z', event: 'confirmed' },
  ],
};

const asked = { at: '2029-06-01T10:00:00.000Z', event: 'cancel requested' } as const;

export const cancellingExample: OrderView = {
  ...confirmedExample,
  status: 'cancelling',
  timeline: [...confirmedExample.timeline, asked],
};

export const cancelledExample: OrderView = {
  ...confirmedExample,
  status: 'cancelled',
  timeline: [
    ...cancellingExample.timeline,
    { at: '2029-06-01T10:00:00.009Z', event: 'hotel cancelled', detail: 'H-2VBNH5TR' },
    { at: '2029-06-01T10:00:00.009Z', event: 'flight cancelled', detail: 'F-7Q4M9XKD' },
    { at: '2029-06-01T10:00:00.013Z', event: 'cancelled' },
  ],
};
