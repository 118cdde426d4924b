import { expect, test } from 'vitest';
import { hidden, orderId, signedIn, words } from '../../../test/support/admin-browser.ts';
import { fakeNow } from '../../../test/support/fake-engine.ts';
import type { DeadLetter } from '../../storage/outbox.ts';

const letter: DeadLetter = {
  ...{ orderId, event: 'confirmed', channel: 'mail', packageId: 1 },
  ...{ at: fakeNow, attempts: 20, reason: 'SMTP 451' },
};
const other: DeadLetter = { ...letter, channel: 'webhook', reason: 'HTTP 500' };
const ids = [`${orderId}.confirmed.mail`, `${orderId}.confirmed.webhook`];

test('the page names each dead letter with its reason, and the overview leads to it', async () => {
  const user = await signedIn({ deadLetters: [letter, other] });
  const { status, text } = await user.get('/admin/dead-letters');
  expect(status).toBe(200);
  expect(text).toContain(`href="/admin/orders/${orderId}"`);
  for (const part of ['SMTP 451', 'HTTP 500', '20 attempts', 'Mail', 'Webhook'])
    expect(words(text)).toContain(part);
  expect((await user.get('/admin')).text).toContain('href="/admin/dead-letters"');
  expect(words((await (await signedIn()).get('/admin/dead-letters')).text)).toContain(
    'Everything was delivered',
  );
});

test('a button retries one of them or all, and the next page says how many', async () => {
  const user = await signedIn({ deadLetters: [letter, other] });
  const { text } = await user.get('/admin/dead-letters');
  for (const part of [`value="${ids[1]}"`, 'Retry all mails', 'Retry all webhooks'])
    expect(text).toContain(part);
  const answer = await user.post('/admin/dead-letters/retry', { ids: ids[1] ?? '' });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/dead-letters']);
  expect(user.service.calls).toEqual([`retry dead letters ${ids[1]}`]);
  expect(words((await user.get('/admin/dead-letters')).text)).toContain('1 notice is delivered again.');
  await user.post('/admin/dead-letters/retry', { channel: 'mail' });
  expect(user.service.calls.at(-1)).toBe('retry dead letters mail');
  expect(user.service.world.deadLetters).toEqual([]);
});

test('the next page says which notices were left, and why', async () => {
  const retry = async () => ({ kind: 'done', value: { retried: 2, outdated: 1, channelOff: 3 } }) as const;
  const user = await signedIn({ deadLetters: [letter] }, { deadLetters: { retry } });
  await user.post('/admin/dead-letters/retry', { channel: 'mail' });
  const text = words((await user.get('/admin/dead-letters')).text);
  expect(text).toContain('2 notices are delivered again.');
  expect(text).toContain('1 notice was left, because the order has changed since');
  expect(text).toContain('3 notices were left, because the channel is off: set SMTP_URL for mails');
});

test('a button discards one of them, and all of a channel after a question', async () => {
  const user = await signedIn({ deadLetters: [letter, other] });
  await user.post('/admin/dead-letters/discard', { ids: ids[1] ?? '' });
  expect(user.service.world.deadLetters).toEqual([letter]);
  const page = await user.get('/admin/dead-letters');
  expect(words(page.text)).toContain('1 notice is discarded.');
  expect(page.text).toContain('href="/admin/dead-letters/discard?channel=mail"');
  expect(page.text).not.toContain('channel=webhook');
  const question = await user.get('/admin/dead-letters/discard?channel=mail');
  expect(words(question.text)).toContain('Discard all mails that were given up?');
  expect(hidden(question.text)).toEqual({ channel: 'mail' });
  expect(user.service.world.deadLetters).toEqual([letter]);
  await user.post('/admin/dead-letters/discard', hidden(question.text));
  expect(user.service.world.deadLetters).toEqual([]);
  expect((await user.get('/admin/dead-letters/discard?channel=fax')).status).toBe(422);
});

test.each(['', 'nonsense', `${ids[0]},`, Array(201).fill(ids[0]).join(',')])(
  'a form with other ids is refused: case %#',
  async (text) => {
    const user = await signedIn({ deadLetters: [letter] });
    expect((await user.post('/admin/dead-letters/retry', { ids: text })).status).toBe(422);
    expect((await user.post('/admin/dead-letters/discard', { ids: text })).status).toBe(422);
    expect(user.service.calls).toEqual([]);
  },
);
