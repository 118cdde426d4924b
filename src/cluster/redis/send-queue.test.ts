import { expect, test, vi } from 'vitest';
import { InboxFullError, MessagesUnavailableError } from '../messages.ts';
import { SendQueue } from './send-queue.ts';

/** An outbox whose calls to Redis are answered by hand. */
function outboxWith(entriesMax = 10_000) {
  const calls: { readonly texts: readonly string[]; readonly answer: PromiseWithResolvers<number> }[] = [];
  const outbox = new SendQueue({
    scripts: {
      send(_stream, _entriesMax, _keepMs, texts) {
        const answer = Promise.withResolvers<number>();
        calls.push({ texts, answer });
        return answer.promise;
      },
    },
    entriesMax,
    keepMs: 1,
    onContact() {},
  });
  const call = async (index: number) => {
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(index));
    return calls[index] as (typeof calls)[number];
  };
  return { outbox, call };
}

const numbers = (count: number) => Array.from({ length: count }, (_, each) => `${each}`);

test('what comes while a call is on its way goes with the next ones, in order, so many at a time', async () => {
  const { outbox, call } = outboxWith();
  const first = outbox.send('s', 'first');
  const { texts, answer } = await call(0);
  expect(texts).toEqual(['first']);
  const rest = numbers(600).map((text) => outbox.send('s', text));
  answer.resolve(1);
  await first;
  const next = await call(1);
  expect(next.texts).toEqual(numbers(500));
  next.answer.resolve(500);
  const last = await call(2);
  expect(last.texts).toEqual(numbers(600).slice(500));
  last.answer.resolve(100);
  await Promise.all(rest);
  await vi.waitFor(() => expect(outbox.isEmpty).toBe(true));
});

test('what nobody waits for any more is not sent', async () => {
  const { outbox, call } = outboxWith();
  void outbox.send('s', 'first');
  const { answer } = await call(0);
  const stale = outbox.send('s', 'stale', () => true);
  const wanted = outbox.send('s', 'wanted', () => false);
  answer.resolve(1);
  const next = await call(1);
  expect(next.texts).toEqual(['wanted']);
  next.answer.resolve(1);
  await Promise.all([stale, wanted]);
});

test('those for whom there was no room are told so', async () => {
  const { outbox, call } = outboxWith();
  const sent = ['a', 'b', 'c'].map((text) => outbox.send('s', text));
  const outcomes = Promise.allSettled(sent);
  (await call(0)).answer.resolve(2);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  await expect(sent[2]).rejects.toThrow(InboxFullError);
});

test('no more wait here than the stream takes', async () => {
  const { outbox, call } = outboxWith(3);
  const sent = ['a', 'b', 'c'].map((text) => outbox.send('s', text));
  await expect(outbox.send('s', 'd')).rejects.toThrow(InboxFullError);
  const { answer } = await call(0);
  await expect(outbox.send('s', 'e')).rejects.toThrow(InboxFullError);
  answer.resolve(3);
  await Promise.all(sent);
});

test('a call that fails takes only its own messages with it, and a full stream holds up no other', async () => {
  const { outbox, call } = outboxWith();
  const lost = expect(outbox.send('s', 'lost')).rejects.toThrow(MessagesUnavailableError);
  const elsewhere = outbox.send('other', 'elsewhere');
  const failing = await call(0);
  (await call(1)).answer.resolve(1);
  await elsewhere;
  const next = outbox.send('s', 'next');
  failing.answer.reject(new Error('Command timed out'));
  await lost;
  const { texts, answer } = await call(2);
  expect(texts).toEqual(['next']);
  answer.resolve(1);
  await next;
});
