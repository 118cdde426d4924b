import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { messagesContract } from '../../../test/contract/messages.ts';
import { recordingLog } from '../../../test/support/recording-log.ts';
import { type RedisServer, startRedis } from '../../../test/support/servers/redis.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import { systemRandom } from '../../lib/random.ts';
import { silentLog } from '../../observability/log.ts';
import { InboxFullError, type Messages, MessagesUnavailableError, NoAnswerError } from '../messages.ts';
import { redisConnector } from './connector.ts';
import { messagesIn } from './protocol.ts';
import { type RedisMessagesOptions, redisMessages } from './redis-messages.ts';

let server: RedisServer;
let redis: Redis;
let opened: Messages[] = [];
const soon = { timeout: 10_000, interval: 10 };

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function messagesOf(instance: string, over: Partial<RedisMessagesOptions> = {}): Messages {
  const messages = redisMessages({
    connect: redisConnector(server.url, instance, silentLog),
    instance,
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    ...over,
  });
  opened.push(messages);
  return messages;
}

async function closeAll(): Promise<void> {
  await Promise.all(opened.map((messages) => messages.close()));
  opened = [];
}

messagesContract('redis streams', async () => {
  await redis.flushall();
  return { instance: messagesOf, close: closeAll };
});

describe('messages over Redis', () => {
  beforeEach(() => redis.flushall());
  afterEach(closeAll);

  test('an instance with the id of a running one is refused, and removes nothing of it', async () => {
    const a = messagesOf('a');
    await a.join();
    const other = messagesOf('a');
    await expect(other.join()).rejects.toThrow('another running instance has the INSTANCE_ID a');
    await other.close();
    await a.ask('a', 1, 10).catch(() => {});
    expect(await redis.zrange('instances', 0, '-1')).toEqual(['a']);
    expect(a.members()).toEqual(['a']);
  });

  test('a process that was killed does not keep its successor out for longer than its silence', async () => {
    const killed = messagesOf('a', { clock: { ...systemClock, sleep: () => new Promise(() => {}) } });
    await killed.join();
    const next = messagesOf('a');
    const startedAt = performance.now();
    await next.join();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(next.members()).toEqual(['a']);
    await killed.leave();
    expect(await redis.zrange('instances', 0, '-1')).toEqual(['a']);
  });

  test('an instance that has left in order is followed at once', async () => {
    const first = messagesOf('a');
    await first.join();
    await first.leave();
    const startedAt = performance.now();
    await messagesOf('a').join();
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  test('a running process is told when another one has taken its id while Redis was wiped', async () => {
    const onDuplicate = vi.fn();
    const a = messagesOf('a', { onDuplicate, silenceMs: 400 });
    await a.join();
    const other = messagesOf('b', { silenceMs: 400 });
    await other.join();
    const takeId = redis.multi().hset('incarnations:{instances}', 'a', 'another').exec();
    await takeId;
    const announcing = setInterval(() => void redis.zadd('instances', 'XX', Date.now(), 'a'), 50);
    await vi.waitFor(() => expect(onDuplicate).toHaveBeenCalledOnce(), soon);
    clearInterval(announcing);
  });

  async function pair(over: Partial<RedisMessagesOptions> = {}): Promise<[Messages, Messages]> {
    const [a, b] = [messagesOf('a', over), messagesOf('b', over)];
    await Promise.all([a.join(), b.join()]);
    b.serve(async (request) => request);
    await vi.waitFor(() => expect([a.members(), b.members()]).toEqual([both, both]), soon);
    return [a, b];
  }
  const both = ['a', 'b'];

  /** Redis's time, for messages that a test writes itself. */
  async function redisNow(): Promise<number> {
    const [seconds, micros] = await redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }

  async function post(request: object): Promise<void> {
    await redis.xadd('inbox:{b}', '*', 'm', JSON.stringify(request));
  }

  test('removes answered requests from Redis', async () => {
    const [a] = await pair();
    await Promise.all(Array.from({ length: 1_200 }, (_, each) => a.ask('b', each, 5_000)));
    await vi.waitFor(async () => {
      expect(await Promise.all([redis.xlen('inbox:{b}'), redis.xlen('answers:{a}')])).toEqual([0, 0]);
    }, soon);
  });

  test('refuses requests to a full inbox, and accepts requests again when the receiver has caught up', async () => {
    const [a, b] = await pair({ inboxMax: 20, handlingMax: 5 });
    const gate = Promise.withResolvers<void>();
    let handled = 0;
    b.serve(async (request) => {
      handled++;
      await gate.promise;
      return request;
    });
    const ask = (each: number) => a.ask('b', each, 20_000);
    const first = [0, 1, 2, 3, 4].map(ask);
    await vi.waitFor(async () => expect([handled, await redis.xlen('inbox:{b}')]).toEqual([5, 0]), soon);
    const more = Array.from({ length: 20 }, (_, each) => ask(5 + each));
    await vi.waitFor(async () => expect(await redis.xlen('inbox:{b}')).toBe(20), soon);
    await expect(ask(25)).rejects.toThrow(InboxFullError);
    await expect(Promise.all(Array.from({ length: 30 }, (_, each) => ask(each)))).rejects.toThrow(
      InboxFullError,
    );
    expect(handled).toBe(5);
    gate.resolve();
    expect(await Promise.all([...first, ...more])).toEqual(Array.from({ length: 25 }, (_, each) => each));
    expect(await ask(26)).toBe(26);
  });

  test('delivers a request once that was sent twice', async () => {
    const [, b] = await pair();
    const heard: Json[] = [];
    b.serve(async (request) => {
      heard.push(request);
      return null;
    });
    const until = (await redisNow()) + 5_000;
    for (const id of ['1', '1', '2', '1']) await post({ v: 1, id, from: 'a', until, body: id });
    await vi.waitFor(() => expect(heard).toContain('2'), soon);
    await vi.waitFor(async () => expect(await redis.xlen('inbox:{b}')).toBe(0), soon);
    expect(heard).toEqual(['1', '2']);
  });

  test('does not deliver a request if its sender has timed out', async () => {
    const [a, b] = await pair();
    const heard: Json[] = [];
    b.serve(async (request) => {
      heard.push(request);
      return request;
    });
    const now = await redisNow();
    await post({ v: 1, id: 'late', from: 'a', until: now - 1, body: 'late' });
    await post({ v: 1, id: 'live', from: 'a', until: now + 5_000, body: 'live' });
    expect(await a.ask('b', 'next', 5_000)).toBe('next');
    expect(heard).toEqual(['live', 'next']);
  });

  test('works between hosts whose clocks differ by hours', async () => {
    const skewed = (hours: number) => ({ ...systemClock, now: () => Date.now() + hours * 3_600_000 });
    const [a, b] = [messagesOf('a', { clock: skewed(-5) }), messagesOf('b', { clock: skewed(7) })];
    await a.join();
    await b.join();
    b.serve(async (request) => request);
    expect(await a.ask('b', 'now', 1_000)).toBe('now');
    const heard = vi.fn(async () => null);
    b.serve(heard);
    await post({ v: 1, id: 'late', from: 'a', until: (await redisNow()) - 20, body: null });
    await expect(a.ask('b', 'now', 1_000)).resolves.toBeNull();
    expect(heard).toHaveBeenCalledTimes(1);
  });

  test('unknown members that a newer release adds to a message are ignored', async () => {
    const [a, b] = await pair();
    b.serve(async (request, from) => ({ request, from }));
    const until = (await redisNow()) + 5_000;
    await post({ v: 1, id: 'x', from: 'c', until, body: { a: 1 }, priority: 9 });
    expect(await onlyOne('answers:{c}')).toMatchObject({
      v: 1,
      id: 'x',
      body: { request: { a: 1 }, from: 'c' },
    });
    await messagesOf('deaf').join();
    const answer = a.ask('deaf', 1, 5_000);
    const { id } = await onlyOne('inbox:{deaf}');
    await redis.xadd('answers:{a}', '*', 'm', JSON.stringify({ v: 1, id, body: 'yes', server: 'new' }));
    expect(await answer).toBe('yes');
  });

  /** The entries of a stream: how many messages each has. */
  async function framesOf(stream: string): Promise<number[]> {
    const entries = (await redis.xrange(stream, '-', '+')) as [string, string[]][];
    return entries.map(([, fields]) => messagesIn(fields[1] as string).length);
  }

  test('requests of one turn are one entry for an instance that has said that it reads frames', async () => {
    const [a] = await pair();
    const deaf = messagesOf('deaf');
    await deaf.join();
    const askThree = () => {
      for (let each = 0; each < 3; each++) void a.ask('deaf', each, 5_000).catch(() => {});
    };
    askThree();
    await vi.waitFor(async () => expect(await framesOf('inbox:{deaf}')).toEqual([1, 1, 1]), soon);
    await redis.del('inbox:{deaf}');
    a.serve(async (request) => request);
    expect(await deaf.ask('a', 1, 5_000)).toBe(1);
    askThree();
    await vi.waitFor(async () => expect(await framesOf('inbox:{deaf}')).toEqual([3]), soon);
  });

  test('answers of one turn are one entry for a sender that reads frames', async () => {
    const [, b] = await pair();
    const release = Promise.withResolvers<void>();
    b.serve(async (request) => {
      await release.promise;
      return request;
    });
    const until = (await redisNow()) + 5_000;
    for (const id of ['1', '2', '3']) {
      await post({ v: 1, id, from: 'older', until, body: id });
      await post({ v: 1, id: `${id} too`, from: 'newer', until, body: id, frames: true });
    }
    await vi.waitFor(async () => expect(await redis.xlen('inbox:{b}')).toBe(0), soon);
    release.resolve();
    await vi.waitFor(async () => expect(await framesOf('answers:{newer}')).toEqual([3]), soon);
    await vi.waitFor(async () => expect(await framesOf('answers:{older}')).toEqual([1, 1, 1]), soon);
  });

  test('an instance that has not answered gets single messages, because it may be an older release now', async () => {
    const [a, b] = await pair();
    const deaf = messagesOf('deaf');
    await deaf.join();
    a.serve(async (request) => request);
    expect(await deaf.ask('a', 1, 5_000)).toBe(1);
    await expect(a.ask('deaf', 0, 50)).rejects.toThrow(NoAnswerError);
    await redis.del('inbox:{deaf}');
    for (let each = 0; each < 3; each++) void a.ask('deaf', each, 5_000).catch(() => {});
    await vi.waitFor(async () => expect(await framesOf('inbox:{deaf}')).toEqual([1, 1, 1]), soon);
    expect(b.available).toBe(true);
  });

  /** The only message in a stream, parsed. */
  async function onlyOne(stream: string): Promise<{ readonly id: string }> {
    await vi.waitFor(async () => expect(await redis.xlen(stream)).toBe(1), soon);
    const [[, fields]] = (await redis.xrange(stream, '-', '+')) as [[string, string[]]];
    return JSON.parse(fields[1] as string);
  }

  test('refuses a message of a newer version at once, and logs it', async () => {
    const log = recordingLog();
    const [a, b] = [messagesOf('a', { log }), messagesOf('b', { log })];
    await Promise.all([a.join(), b.join()]);
    const heard = vi.fn(async () => null);
    b.serve(heard);
    await post({ v: 2, id: 'x', from: 'c', task: 'something new' });
    expect(await onlyOne('answers:{c}')).toMatchObject({
      v: 1,
      id: 'x',
      refused: expect.stringContaining('version 2'),
    });
    expect(heard).not.toHaveBeenCalled();
    await messagesOf('deaf').join();
    const refused = expect(a.ask('deaf', 1, 5_000)).rejects.toThrow(NoAnswerError);
    const { id } = await onlyOne('inbox:{deaf}');
    await redis.xadd('answers:{a}', '*', 'm', JSON.stringify({ v: 2, id, result: 'something new' }));
    await refused;
    expect(log.lines).toEqual([
      'a request from another instance cannot be read',
      'an answer from another instance cannot be read',
    ]);
  });

  test('skips messages that are malformed', async () => {
    const [a] = await pair();
    await redis.xadd('inbox:{b}', '*', 'other', 'field');
    await redis.xadd('answers:{a}', '*', 'm', '}');
    for (const text of [
      '',
      'null',
      '[]',
      '"x"',
      '{"v":1}',
      '{"v":1,"id":"1","from":"a","until":"soon"}',
      '{',
    ]) {
      await redis.xadd('inbox:{b}', '*', 'm', text);
    }
    expect(await a.ask('b', 1, 5_000)).toBe(1);
  });

  test('keeps all members and answers requests while Redis is wiped repeatedly', async () => {
    const [a, b] = await pair({ silenceMs: 1_000 });
    const changes = vi.fn();
    a.onMembers(changes);
    b.onMembers(changes);
    for (let time = 0; time < 3; time++) {
      await redis.flushall();
      expect(await a.ask('b', time, 2_000)).toBe(time);
      await sleep(400);
    }
    await vi.waitFor(async () => expect(await redis.zrange('instances', 0, '-1')).toEqual(both), soon);
    expect(changes).not.toHaveBeenCalled();
  });

  test('a request times out if Redis was wiped meanwhile, and the next request is answered', async () => {
    const [a] = await pair();
    const deaf = messagesOf('deaf');
    await deaf.join();
    const lost = expect(a.ask('deaf', 1, 500)).rejects.toThrow('no answer within 500 ms');
    await onlyOne('inbox:{deaf}');
    await redis.flushall();
    await lost;
    deaf.serve(async (request) => request);
    expect(await a.ask('deaf', 2, 5_000)).toBe(2);
  });

  test('reads streams again after they could not be read for a while', async () => {
    const [a, b] = await pair();
    await redis.set('inbox:{b}', 'of the wrong type');
    await redis.set('answers:{b}', 'of the wrong type');
    await expect(a.ask('b', 1, 500)).rejects.toThrow(MessagesUnavailableError);
    await sleep(1_500);
    await redis.del('inbox:{b}', 'answers:{b}');
    expect(await a.ask('b', 2, 5_000)).toBe(2);
    expect(await b.ask('b', 3, 5_000)).toBe(3);
  });

  test('recovers by itself after Redis was down', async () => {
    const [a, b] = await pair({ silenceMs: 1_000 });
    const changes = vi.fn();
    a.onMembers(changes);
    await server.kill();
    await vi.waitFor(() => expect([a.available, b.available]).toEqual([false, false]), soon);
    await expect(a.ask('b', 1, 1_000)).rejects.toThrow(MessagesUnavailableError);
    expect(a.members()).toEqual(both);
    await sleep(1_500);
    await server.restart();
    await vi.waitFor(() => expect([a.available, b.available]).toEqual([true, true]), soon);
    await vi.waitFor(async () => expect(await a.ask('b', 2, 1_000)).toBe(2), soon);
    await sleep(1_000);
    expect(a.members()).toEqual(both);
    expect(changes).not.toHaveBeenCalled();
  });

  test('an instance joins once Redis is up, if Redis was down at the start', async () => {
    await server.kill();
    const a = messagesOf('a');
    await a.join();
    expect(a.available).toBe(false);
    await server.restart();
    await vi.waitFor(() => expect(a.members()).toEqual(['a']), soon);
    a.serve(async (request) => request);
    await vi.waitFor(async () => expect(await a.ask('a', 1, 1_000)).toBe(1), soon);
  });

  test('requests time out while Redis is paused, are not delivered late, and succeed afterwards', async () => {
    const [a, b] = await pair({ silenceMs: 1_000 });
    const heard: Json[] = [];
    b.serve(async (request) => {
      heard.push(request);
      return request;
    });
    const paused = server.pause(4_000);
    const since = performance.now();
    const requests = Array.from({ length: 50 }, (_, each) => a.ask('b', `during ${each}`, 500));
    const outcomes = await Promise.allSettled(requests);
    expect(performance.now() - since).toBeLessThan(1_500);
    for (const outcome of outcomes) {
      expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(NoAnswerError);
    }
    await vi.waitFor(() => expect(a.available).toBe(false), soon);
    expect(a.members()).toEqual(both);
    await paused;
    await vi.waitFor(async () => expect(await a.ask('b', 'after', 1_000)).toBe('after'), soon);
    expect(heard.filter((request) => `${request as string}`.startsWith('during'))).toEqual([]);
    expect([a.members(), b.members()]).toEqual([both, both]);
  });

  test('removes an instance that has stopped announcing itself', async () => {
    const [a] = await pair({ silenceMs: 500 });
    await redis.zadd('instances', await redisNow(), 'c');
    await vi.waitFor(() => expect(a.members()).toEqual(['a', 'b', 'c']), soon);
    await vi.waitFor(() => expect(a.members()).toEqual(both), soon);
    await expect(a.ask('c', 1, 1_000)).rejects.toThrow('no instance c');
  });

  test('removes an announcement whose time lies in the future', async () => {
    const [a] = await pair({ silenceMs: 500 });
    await redis.zadd('instances', (await redisNow()) + 3_600_000, 'ghost');
    await vi.waitFor(async () => expect(await redis.zrange('instances', 0, '-1')).toEqual(both), soon);
    expect(a.members()).toEqual(both);
  });

  test('refuses to send a request before it has joined', async () => {
    await expect(messagesOf('a').ask('b', 1, 1_000)).rejects.toThrow(MessagesUnavailableError);
  });
});
