import type { Hono } from 'hono';
import { z } from 'zod';
import type { NoticeChannel } from '../../domain/notices.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import { readForm } from '../../http/request.ts';
import { type DeadLetter, noticeId } from '../../storage/outbox.ts';
import { deadLetterIds, deadLettersQuery } from '../api/requests.ts';
import {
  type AdminContext,
  type AdminDeps,
  type AdminEnv,
  adminRouter,
  goOn,
  show,
  showProblem,
} from './context.ts';
import { formatDateTime, formatQuantity } from './format.ts';
import { type Column, cell, headCell, table } from './fragments/table.ts';
import { heading } from './layout.ts';

const shown = 50;

/** The ids of dead letters with commas between. */
const retryForm = z.object({
  ids: z
    .string()
    .transform((text) => text.split(','))
    .pipe(deadLetterIds),
});

/** `/admin/dead-letters`: mails and webhooks that were given up, newest first, and a button that sends them again. */
export function deadLetterRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get('/admin/dead-letters', async (c) => {
      const query = deadLettersQuery.safeParse({ cursor: c.req.query('cursor') });
      const cursor = query.success ? query.data.cursor : undefined;
      const { items, next } = await deps.service.deadLetters.list(cursor, shown);
      const older = new URLSearchParams({ cursor: next ?? '' });
      return show(c, deps, {
        title: 'Dead letters',
        main: markup`
          ${heading('Dead letters', items.length > 1 ? retryButton(items, 'Retry all shown') : '')}
          ${lettersTable(items)}
          <p class="field-note">Mails and webhooks that were given up after about 80 minutes, or refused for good. All times are UTC.</p>
          ${next === undefined ? '' : markup`<p><a class="button quiet" href="/admin/dead-letters?${older.toString()}">Older</a></p>`}`,
      });
    })
    .post('/admin/dead-letters/retry', (c) => retry(c, deps));
}

async function retry(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const form = await readForm(c, retryForm);
  if ('errors' in form) return showProblem(c, deps, 'invalid');
  const result = await deps.service.deadLetters.retry(c.var.operator, form.value.ids);
  if (result.kind === 'refused') return showProblem(c, deps, result.code);
  const { retried } = result.value;
  const notice =
    retried === 0
      ? 'Nothing was left to retry.'
      : `${formatQuantity(retried, 'notice')} ${retried === 1 ? 'is' : 'are'} delivered again.`;
  return goOn(c, deps, '/admin/dead-letters', notice);
}

const columns: readonly Column[] = [
  { name: 'when', label: 'Given up' },
  { name: 'what', label: 'Order' },
  { name: 'notice', label: 'Notice' },
  { name: 'reason', label: 'Reason' },
  { name: 'action', label: 'Actions', isUnlabelled: true },
];

function lettersTable(letters: readonly DeadLetter[]): Html {
  return table({
    caption: 'Mails and webhooks that were given up',
    columns,
    rows: letters.map(letterRow),
    empty: 'Everything was delivered, or is still being tried.',
  });
}

const channelWords: Readonly<Record<NoticeChannel, string>> = { mail: 'Mail', webhook: 'Webhook' };

function letterRow(letter: DeadLetter): Html {
  const { at, orderId, packageId, channel, event, attempts, reason } = letter;
  return markup`
    <tr role="row">
      ${headCell(markup`<time datetime="${new Date(at).toISOString()}">${formatDateTime(at)}</time>`)}
      ${cell('Order', markup`<a href="/admin/orders/${orderId}">${orderId}</a><span class="under">package ${packageId}</span>`, 'wide')}
      ${cell('Notice', markup`<span>${channelWords[channel]}</span><span class="under">${event}</span>`)}
      ${cell('Reason', markup`<span>${reason}</span><span class="under">${formatQuantity(attempts, 'attempt')}</span>`)}
      <td role="cell" class="row-actions">${retryButton([letter], markup`Retry<span class="unseen"> ${channel} of order ${orderId}</span>`)}</td>
    </tr>`;
}

function retryButton(letters: readonly DeadLetter[], label: Html | string): Html {
  return markup`
    <form method="post" action="/admin/dead-letters/retry" data-changes>
      <input type="hidden" name="ids" value="${letters.map(noticeId).join(',')}" autocomplete="off">
      <button class="small-button" type="submit">${label}</button>
    </form>`;
}
