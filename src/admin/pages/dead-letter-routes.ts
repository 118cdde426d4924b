import type { Hono } from 'hono';
import { z } from 'zod';
import { type NoticeChannel, noticeChannels } from '../../domain/notices.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import { readForm } from '../../http/request.ts';
import { type DeadLetter, noticeId } from '../../storage/outbox.ts';
import { deadLetterIds, deadLettersQuery, noticeChannelInput } from '../api/requests.ts';
import type { Retried } from '../dead-letter-service.ts';
import { confirmStep } from './confirm.ts';
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

/** The ids of dead letters with commas between, or the channel of which all are meant. */
const selectionForm = z.union([
  z.object({
    ids: z
      .string()
      .transform((text) => text.split(','))
      .pipe(deadLetterIds),
  }),
  z.object({ channel: noticeChannelInput }),
]);

const page = '/admin/dead-letters';

/** `/admin/dead-letters`: mails and webhooks that were given up, newest first, sent again or discarded by buttons. */
export function deadLetterRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter()
    .get(page, async (c) => {
      const query = deadLettersQuery.safeParse({ cursor: c.req.query('cursor') });
      const cursor = query.success ? query.data.cursor : undefined;
      const { items, next } = await deps.service.deadLetters.list(cursor, shown);
      const older = new URLSearchParams({ cursor: next ?? '' });
      return show(c, deps, {
        title: 'Dead letters',
        main: markup`
          ${heading('Dead letters', allButtons(items))}
          ${lettersTable(items)}
          <p class="field-note">Mails and webhooks that were given up after about 80 minutes, or refused for good. All times are UTC.</p>
          ${next === undefined ? '' : markup`<p><a class="button quiet" href="${page}?${older.toString()}">Older</a></p>`}`,
      });
    })
    .post(`${page}/retry`, (c) => retry(c, deps))
    .get(`${page}/discard`, async (c) => {
      const channel = noticeChannelInput.safeParse(c.req.query('channel'));
      if (!channel.success) return showProblem(c, deps, 'invalid');
      const all = `all ${channelWords[channel.data].many}`;
      const main = confirmStep({
        question: `Discard ${all} that were given up?`,
        effects: ['Nobody is told of these events any more.', 'The orders stay as they are.'],
        action: `${page}/discard`,
        fields: { channel: channel.data },
        yes: `Discard ${all}`,
        back: page,
      });
      return show(c, deps, { title: 'Discard dead letters', main });
    })
    .post(`${page}/discard`, (c) => discard(c, deps));
}

async function retry(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const form = await readForm(c, selectionForm);
  if ('errors' in form) return showProblem(c, deps, 'invalid');
  const result = await deps.service.deadLetters.retry(c.var.operator, form.value);
  if (result.kind === 'refused') return showProblem(c, deps, result.code);
  return goOn(c, deps, page, retriedWords(result.value));
}

function retriedWords({ retried, outdated, channelOff }: Retried): string {
  const words = [
    retried > 0 ? `${formatQuantity(retried, 'notice is', 'notices are')} delivered again.` : '',
    outdated > 0
      ? `${formatQuantity(outdated, 'notice was', 'notices were')} left, because the order has changed since: discard it.`
      : '',
    channelOff > 0
      ? `${formatQuantity(channelOff, 'notice was', 'notices were')} left, because the channel is off: set SMTP_URL for mails, WEBHOOK_URL for webhooks.`
      : '',
  ].filter((sentence) => sentence !== '');
  return words.length === 0 ? 'Nothing was left to retry.' : words.join(' ');
}

async function discard(c: AdminContext, deps: AdminDeps): Promise<Response> {
  const form = await readForm(c, selectionForm);
  if ('errors' in form) return showProblem(c, deps, 'invalid');
  const result = await deps.service.deadLetters.discard(c.var.operator, form.value);
  if (result.kind === 'refused') return showProblem(c, deps, result.code);
  const { discarded } = result.value;
  const notice =
    discarded === 0
      ? 'Nothing was left to discard.'
      : `${formatQuantity(discarded, 'notice is', 'notices are')} discarded.`;
  return goOn(c, deps, page, notice);
}

const columns: readonly Column[] = [
  { name: 'when', label: 'Given up' },
  { name: 'what', label: 'Order' },
  { name: 'notice', label: 'Notice' },
  { name: 'reason', label: 'Reason' },
  { name: 'actions', label: 'Actions', isUnlabelled: true },
];

function lettersTable(letters: readonly DeadLetter[]): Html {
  return table({
    caption: 'Mails and webhooks that were given up',
    columns,
    rows: letters.map(letterRow),
    empty: 'Everything was delivered, or is still being tried.',
  });
}

const channelWords: Readonly<Record<NoticeChannel, { readonly one: string; readonly many: string }>> = {
  mail: { one: 'Mail', many: 'mails' },
  webhook: { one: 'Webhook', many: 'webhooks' },
};

/** The buttons for all dead letters of each channel that is shown. */
function allButtons(letters: readonly DeadLetter[]): Html {
  const shown = noticeChannels.filter((name) => letters.some(({ channel }) => channel === name));
  if (shown.length === 0) return markup``;
  return markup`<div class="row-actions">${shown.map(
    (channel) => markup`
      ${actionButton('retry', { channel }, `Retry all ${channelWords[channel].many}`)}
      <a class="small-button" data-changes href="${page}/discard?channel=${channel}">Discard all ${channelWords[channel].many}</a>`,
  )}</div>`;
}

function letterRow(letter: DeadLetter): Html {
  const { at, orderId, packageId, channel, event, attempts, reason } = letter;
  const unseen = markup`<span class="unseen"> ${channel} of order ${orderId}</span>`;
  return markup`
    <tr role="row">
      ${headCell(markup`<time datetime="${new Date(at).toISOString()}">${formatDateTime(at)}</time>`)}
      ${cell('Order', markup`<a href="/admin/orders/${orderId}">${orderId}</a><span class="under">package ${packageId}</span>`, 'stacked')}
      ${cell('Notice', markup`<span>${channelWords[channel].one}</span><span class="under">${event}</span>`)}
      ${cell('Reason', markup`<span>${reason}</span><span class="under">${formatQuantity(attempts, 'attempt')}</span>`)}
      <td role="cell" class="row-actions">
        ${actionButton('retry', { ids: noticeId(letter) }, markup`Retry${unseen}`)}
        ${actionButton('discard', { ids: noticeId(letter) }, markup`Discard${unseen}`)}
      </td>
    </tr>`;
}

function actionButton(
  action: 'retry' | 'discard',
  fields: Readonly<Record<string, string>>,
  label: Html | string,
): Html {
  return markup`
    <form method="post" action="${page}/${action}" data-changes>
      ${Object.entries(fields).map(([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" autocomplete="off">`)}
      <button class="small-button" type="submit">${label}</button>
    </form>`;
}
