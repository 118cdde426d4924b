import { expect, test, vi } from 'vitest';
import { InboxFullError, MessagesUnavailableError } from '../messages.ts';
import { StreamSendQueue } from './send-queue.ts';

/** A send queue with calls to Redis that the test answers. */
function queueWith(entriesMax = 10_000, isFramed = false) {
  const calls: { readonly texts: readonly string[]; readonly answer: PromiseWithResolvers<number> }[] = [];
  const queue = new StreamSendQueue({
    scripts: {
      send(_stream, _entriesMax, _keepMs, texts) {
        const answer = Promise.withResolvers<number>();
        calls.push({ texts, answer });
        return answer.promise;
      },
    },
    entriesMax,
    keepMs: 1,
    readsFrames: () => isFramed,
    onContact() {},
  });
  const call = async (index: number) => {
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(index));
    return calls[index] as (typeof calls)[number];
  };
  return { queue, call };
}

const numbers = (count: number) => Array.from({ length: count }, (_, each) => `${each}`);

test('messages that arrive during a call are sent in the next calls, in sequence and at most 500 at a time', async () => {
  const { queue, call } = queueWith();
  const first = queue.send('s', 'first');
  const { texts, answer } = await call(0);
  expect(texts).toEqual(['first']);
  const rest = numbers(600).map((text) => queue.send('s', text));
  answer.resolve(1);
  await first;
  const next = await call(1);
  expect(next.texts).toEqual(numbers(500));
  next.answer.resolve(500);
  const last = await call(2);
  expect(last.texts).toEqual(numbers(600).slice(500));
  last.answer.resolve(100);
  await Promise.all(rest);
  await vi.waitFor(() => expect(queue.isEmpty).toBe(true));
});

test('a stale message is not sent', async () => {
  const { queue, call } = queueWith();
  void queue.send('s', 'first');
  const { answer } = await call(0);
  const stale = queue.send('s', 'stale', () => true);
  const wanted = queue.send('s', 'wanted', () => false);
  answer.resolve(1);
  const next = await call(1);
  expect(next.texts).toEqual(['wanted']);
  next.answer.resolve(1);
  await Promise.all([stale, wanted]);
});

test('messages are rejected for which the stream has no room', async () => {
  const { queue, call } = queueWith();
  const sent = ['a', 'b', 'c'].map((text) => queue.send('s', text));
  const outcomes = Promise.allSettled(sent);
  (await call(0)).answer.resolve(2);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  await expect(sent[2]).rejects.toThrow(InboxFullError);
});

test('a message is rejected if the number of waiting messages equals the stream’s capacity', async () => {
  const { queue, call } = queueWith(3);
  const sent = ['a', 'b', 'c'].map((text) => queue.send('s', text));
  await expect(queue.send('s', 'd')).rejects.toThrow(InboxFullError);
  const { answer } = await call(0);
  await expect(queue.send('s', 'e')).rejects.toThrow(InboxFullError);
  answer.resolve(3);
  await Promise.all(sent);
});

test('a failed call rejects only its own messages, and a slow stream does not delay another stream', async () => {
  const { queue, call } = queueWith();
  const lost = expect(queue.send('s', 'lost')).rejects.toThrow(MessagesUnavailableError);
  const other = queue.send('other', 'other');
  const failing = await call(0);
  (await call(1)).answer.resolve(1);
  await other;
  const next = queue.send('s', 'next');
  failing.answer.reject(new Error('Command timed out'));
  await lost;
  const { texts, answer } = await call(2);
  expect(texts).toEqual(['next']);
  answer.resolve(1);
  await next;
});

test('messages of one call share frames of a bounded length, and are refused with their frame', async () => {
  const { queue, call } = queueWith(10_000, true);
  const texts = [...numbers(3), 'x'.repeat(16_384), 'y'.repeat(20_000), 'z'];
  const outcomes = Promise.allSettled(texts.map((text) => queue.send('s', text)));
  const { texts: entries, answer } = await call(0);
  expect(entries).toEqual(['[0,1,2]', ...texts.slice(3)]);
  answer.resolve(2);
  expect((await outcomes).map(({ status }) => status)).toEqual([
    ...Array(4).fill('fulfilled'),
    ...Array(2).fill('rejected'),
  ]);
});
