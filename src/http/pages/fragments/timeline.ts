import type { TimelineEntry, TimelineEvent } from '../../../domain/order.ts';
import { formatTime } from '../format.ts';
import { type Html, markup } from '../markup.ts';

const plain: Record<TimelineEvent, string> = {
  queued: 'You joined the queue.',
  claimed: 'A place was held for you.',
  'flight reserved': 'The airline reserved your seat.',
  'flight refused': 'The airline had no seat.',
  'flight unknown': 'The airline did not answer.',
  'hotel reserved': 'The hotel reserved your room.',
  'hotel refused': 'The hotel had no room.',
  'hotel unknown': 'The hotel did not answer.',
  confirmed: 'Your trip was confirmed.',
  compensating: 'We started to give back what was reserved.',
  'cancel requested': 'You asked us to cancel the trip.',
  'flight cancelled': 'Your seat was given back.',
  'hotel cancelled': 'Your room was given back.',
  released: 'The place became free for others.',
  failed: 'The order ended without a booking.',
  cancelled: 'The trip was cancelled.',
  withdrawn: 'You left the queue.',
  'sold out': 'The last place was sold.',
};

/** What happened to an order, in plain language, oldest first. */
export function timeline(entries: readonly TimelineEntry[]): Html {
  return markup`
    <ol class="timeline">
      ${entries.map(
        ({ at, event }) => markup`
          <li><time class="clock" datetime="${new Date(at).toISOString()}">${formatTime(at)}</time>
            <span>${plain[event]}</span></li>`,
      )}
    </ol>`;
}
