import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Messages, MessagesUnavailableError, NoAnswerError } from '../../src/cluster/messages.ts';
import type { Json } from '../../src/lib/json.ts';

/** A message service without members. */
export interface OpenedMessages {
  /** A new instance that has not joined yet. */
  instance(id: string): Messages;
  /** Closes every instance. */
  close(): Promise<void>;
}

const awkward: Json[] = [
  null,
  true,
  0,
  -1.5,
  Number.MAX_SAFE_INTEGER,
  '',
  'ключ-🗝️ \u0000\n"\\',
  [],
  [null, [1, { a: [] }]],
  {},
  JSON.parse('{"__proto__": 1, "constructor": {"a b": null}}') as Json,
  'x'.repeat(100_000),
];

/** The contract of `Messages`, run on each implementation. */
export function messagesContract(name: string, open: () => Promise<OpenedMessages>): void {
  describe(`messages contract: ${name}`, () => {
    let opened: OpenedMessages;

    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    async function joined(id: string): Promise<Messages> {
      const messages = opened.instance(id);
      await messages.join();
      return messages;
    }

    /** Two members. `b` answers each request with the request's own body. */
    async function pair(): Promise<[Messages, Messages]> {
      const [a, b] = [await joined('a'), await joined('b')];
      b.serve(async (request) => request);
      return [a, b];
    }

    test('every member sees the sorted list of members, itself included', async () => {
      const all = [await joined('c'), await joined('a'), await joined('b')];
      for (const each of all) {
        await vi.waitFor(() => expect(each.members()).toEqual(['a', 'b', 'c']), { timeout: 5_000 });
        expect(each.available).toBe(true);
      }
    });

    test('a listener hears every membership change until it unsubscribes', async () => {
      const a = await joined('a');
      const told: (readonly string[])[] = [];
      const leave = a.onMembers((members) => told.push(members));
      const seenByOther: unknown[] = [];
      a.onMembers(() => {
        throw new Error('a bug of this listener');
      });
      a.onMembers((members) => seenByOther.push(members));
      const b = await joined('b');
      await vi.waitFor(() => expect(told).toEqual([['a', 'b']]), { timeout: 5_000 });
      leave();
      await b.leave();
      await vi.waitFor(() => expect(seenByOther).toEqual([['a', 'b'], ['a']]), { timeout: 5_000 });
      expect(told).toHaveLength(1);
    });

    test('a request of any JSON value gets its answer', async () => {
      const [a] = await pair();
      for (const json of awkward) {
        expect(JSON.stringify(await a.ask('b', json, 5_000))).toBe(JSON.stringify(json));
      }
    });

    test('the handler gets the sender, and an instance may send a request to itself', async () => {
      const [a, b] = await pair();
      b.serve(async (request, from) => ({ request, from }));
      expect(await a.ask('b', 1, 5_000)).toEqual({ request: 1, from: 'a' });
      expect(await b.ask('b', 2, 5_000)).toEqual({ request: 2, from: 'b' });
    });

    test('each of a thousand concurrent requests gets its own answer once', async () => {
      const [a, b] = await pair();
      let handled = 0;
      b.serve(async (request) => {
        handled++;
        await sleep((request as number) % 7);
        return [request];
      });
      a.serve(async (request) => -(request as number));
      const numbers = Array.from({ length: 1_000 }, (_, each) => each);
      const [there, back] = await Promise.all([
        Promise.all(numbers.map((each) => a.ask('b', each, 10_000))),
        Promise.all(numbers.map((each) => b.ask('a', each, 10_000))),
      ]);
      expect(there).toEqual(numbers.map((each) => [each]));
      expect(back.map(Math.abs as (json: Json) => number)).toEqual(numbers);
      expect(handled).toBe(1_000);
    });

    test('a request to an unknown or departed member gets no answer', async () => {
      const [a, b] = await pair();
      await expect(a.ask('nobody', 1, 2_000)).rejects.toThrow(NoAnswerError);
      await b.close();
      await expect(a.ask('b', 1, 500)).rejects.toThrow(NoAnswerError);
    });

    test('a request whose handler fails gets no answer, and the next request is served', async () => {
      const [a, b] = await pair();
      b.serve(async (request) => {
        if (request === 'bug') throw new Error('a bug of this handler');
        return request;
      });
      await expect(a.ask('b', 'bug', 5_000)).rejects.toThrow(NoAnswerError);
      expect(await a.ask('b', 'fine', 5_000)).toBe('fine');
    });

    test('an answer after the timeout is ignored', async () => {
      const [a, b] = await pair();
      const slow = Promise.withResolvers<Json>();
      b.serve((request) => (request === 'slow' ? slow.promise : Promise.resolve(request)));
      await expect(a.ask('b', 'slow', 100)).rejects.toThrow(NoAnswerError);
      slow.resolve('late');
      expect(await a.ask('b', 'next', 5_000)).toBe('next');
    });

    test('requests wait until a handler is set', async () => {
      const [a, b] = [await joined('a'), await joined('b')];
      const answer = a.ask('b', 1, 5_000);
      await sleep(50);
      b.serve(async () => 'at last');
      expect(await answer).toBe('at last');
    });

    test('an instance that has left is no member, but still answers and sends requests', async () => {
      const [a, b] = await pair();
      const slow = Promise.withResolvers<Json>();
      const asked = vi.fn();
      b.serve((request) => {
        asked();
        return request === 'slow' ? slow.promise : Promise.resolve(request);
      });
      a.serve(async () => 'heard');
      await vi.waitFor(() => expect(a.members()).toEqual(['a', 'b']), { timeout: 5_000 });
      const answer = a.ask('b', 'slow', 10_000);
      await vi.waitFor(() => expect(asked).toHaveBeenCalled());
      await b.leave();
      expect(b.members()).toEqual(['a']);
      await vi.waitFor(() => expect(a.members()).toEqual(['a']), { timeout: 5_000 });
      expect(await b.ask('a', 'take over', 5_000)).toBe('heard');
      slow.resolve('done');
      expect(await answer).toBe('done');
    });

    test('close rejects pending requests, and nothing is sent afterwards', async () => {
      const [a, b] = await pair();
      b.serve(() => new Promise(() => {}));
      const answer = a.ask('b', 1, 10_000);
      const told = expect(answer).rejects.toThrow(MessagesUnavailableError);
      await vi.waitFor(() => expect(a.members()).toEqual(['a', 'b']), { timeout: 5_000 });
      await a.close();
      await told;
      await a.close();
      await a.leave();
      await expect(a.ask('b', 2, 1_000)).rejects.toThrow(MessagesUnavailableError);
      await vi.waitFor(() => expect(b.members()).toEqual(['b']), { timeout: 5_000 });
    });
  });
}
