import type { TimelineEntry } from '../../../domain/order.ts';
import { type Html, markup } from '../../../http/pages/markup.ts';
import type { AdminOrder } from '../../order-service.ts';
import { durationWords, formatNight, formatQuantity, formatTime, statusWords } from '../format.ts';
import { type Column, cell, headCell, table } from './table.ts';

export const stuckOrSlowElementId = 'admin-concerns';

const columns: readonly Column[] = [
  { name: 'order', label: 'Order' },
  { name: 'trip', label: 'Package' },
  { name: 'status', label: 'Status' },
  { name: 'story', label: 'What happened' },
  { name: 'actions', label: 'Actions', isUnlabelled: true },
];

/** How many of an order's last events a row shows. The page of the order shows all. */
const stepsShown = 4;

/** The table of stuck and slow orders. */
export function stuckOrSlowTable(orders: readonly AdminOrder[], now: number): Html {
  return ordersTable(orders, now, {
    id: stuckOrSlowElementId,
    caption: 'Orders that are stuck or slow',
    empty: 'No order is stuck or slow.',
  });
}

export interface OrdersTableParts {
  readonly id?: string;
  readonly caption: string;
  readonly empty: string;
}

export function ordersTable(orders: readonly AdminOrder[], now: number, parts: OrdersTableParts): Html {
  return table({ ...parts, columns, rows: orders.map((order) => orderRow(order, now)) });
}

function orderRow(operated: AdminOrder, now: number): Html {
  const { order } = operated;
  const { id, package: offer, packageId } = order;
  return markup`
    <tr role="row" id="admin-order-${id}" class="order-row">
      ${headCell(markup`<a class="row-link" href="/admin/orders/${id}"><code>${id}</code></a>`)}
      ${cell('Package', markup`<span><span class="number">${packageId}</span> <bdi>${offer.flight}</bdi></span><span class="under">${formatNight(offer.stay)}</span>`)}
      ${cell('Status', orderState(operated, now), 'wide')}
      ${cell('What happened', lastSteps(order.timeline), 'wide')}
      <td role="cell" class="row-actions">${orderActions(operated)}</td>
    </tr>`;
}

/** The state of an order, such as `Being booked`, and how long the order has been in it. */
export function orderState({ order, since, health }: AdminOrder, now: number): Html {
  const tone = health === 'stuck' ? 'bad' : health === 'slow' ? 'wait' : 'rest';
  return markup`
    <span class="state state-${tone}">${statusWords[order.status]}</span>
    <span class="under">${health === undefined ? '' : `${health}, `}for ${durationWords(now - since)}</span>`;
}

function lastSteps(timeline: readonly TimelineEntry[]): Html {
  const hidden = timeline.length - stepsShown;
  return markup`
    <ol class="steps-short">
      ${hidden > 0 ? markup`<li class="under">${formatQuantity(hidden, 'earlier step')}</li>` : ''}
      ${timeline
        .slice(-stepsShown)
        .map(
          ({ at, event, detail }) =>
            markup`<li><time datetime="${new Date(at).toISOString()}">${formatTime(at).slice(0, 8)}</time> ${event}${detail === undefined ? '' : ` ${detail}`}</li>`,
        )}
    </ol>`;
}

const endedStatuses: ReadonlySet<string> = new Set(['failed', 'rejected', 'withdrawn', 'cancelled']);

/**
 * The retry button acts at once, because a retry is harmless. The cancel button first leads to a page with the effects.
 */
export function orderActions({ order: { id, status } }: AdminOrder): Html {
  if (endedStatuses.has(status)) return markup``;
  const name = markup`<span class="unseen"> order ${id}</span>`;
  const cancel = markup`<a class="small-button" data-changes href="/admin/orders/${id}/cancel">Cancel${name}</a>`;
  if (status === 'confirmed') return cancel;
  return markup`
    <form method="post" action="/admin/orders/${id}/retry" data-changes>
      <button class="small-button" type="submit">Retry${name}</button>
    </form>${cancel}`;
}
