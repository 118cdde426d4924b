import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silentLog } from '../../observability/log.ts';
import { Membership } from './membership.ts';
import { RedisTime } from './redis-time.ts';

type Reply = { was: boolean; members: readonly string[]; isTaken?: true } | 'none';

/** A membership whose calls to Redis get these replies in sequence. The last reply is repeated. */
function start(...replies: [Reply, ...Reply[]]) {
  const onTaken = vi.fn();
  const clock = new ManualClock();
  const announcers: string[] = [];
  const changes: (readonly string[])[] = [];
  const membership = new Membership({
    scripts: {
      async announce(_keys, { instance }) {
        announcers.push(instance);
        const reply = replies.length > 1 ? (replies.shift() as Reply) : replies[0];
        if (reply === 'none') throw new Error('Redis is away');
        return { isTaken: false, ...reply, now: clock.now() };
      },
      leave: async () => {},
    },
    keys: { members: 'instances', incarnations: 'incarnations' },
    announcer: { instance: 'a', incarnation: '1' },
    silenceMs: 2_000,
    time: new RedisTime(clock),
    clock,
    log: silentLog,
    onContact() {},
    onTaken,
  });
  membership.onChange((members) => changes.push(members));
  const stop = new AbortController();
  const starting = membership.start(stop.signal);
  return { membership, clock, changes, announcers, stop, starting, onTaken };
}

/** The same, after its first announcement. */
async function started(...replies: [Reply, ...Reply[]]) {
  const all = start(...replies);
  await all.starting;
  return all;
}

const both: Reply = { was: true, members: ['a', 'b'] };
const alone: Reply = { was: true, members: ['a'] };

test('an instance that has stopped announcing itself is removed', async () => {
  const { clock, changes } = await started(both, alone);
  await clock.advance(500);
  expect(changes).toEqual([['a', 'b'], ['a']]);
});

test('the last list is kept while Redis does not answer, and then until all instances had time to announce themselves', async () => {
  const { membership, clock } = await started(both, 'none', 'none', 'none', 'none', 'none', alone);
  await clock.advance(2_500);
  expect(membership.members).toEqual(['a', 'b']);
  // Redis answers again. This instance has announced itself, and the other instance has not yet.
  await clock.advance(500);
  expect(membership.members).toEqual(['a', 'b']);
  await clock.advance(1_000);
  expect(membership.members).toEqual(['a']);
});

test('no instance is removed just after Redis has lost all announcements', async () => {
  const { changes, clock } = await started(both, { was: false, members: ['a'] }, both);
  await clock.advance(5_000);
  expect(changes).toEqual([['a', 'b']]);
});

test('a new instance is added at once, even while missing instances are kept', async () => {
  const { membership, clock } = await started(both, { was: false, members: ['a', 'c'] });
  await clock.advance(500);
  expect(membership.members).toEqual(['a', 'b', 'c']);
});

test('an instance that has left still refreshes its list, without announcing itself', async () => {
  const { membership, clock, announcers, stop } = await started(both);
  await membership.leave();
  expect(membership.members).toEqual(['b']);
  await clock.advance(1_000);
  expect(announcers).toEqual(['a', '', '']);
  stop.abort();
  await clock.advance(5_000);
  expect(announcers).toHaveLength(3);
});

test('an instance that the list does not contain is looked up in Redis', async () => {
  const { membership, announcers } = await started(alone, both);
  expect(await Promise.all(['b', 'b', 'b'].map((each) => membership.has(each)))).toEqual([true, true, true]);
  expect(announcers).toHaveLength(2);
  expect(await membership.has('a')).toBe(true);
  expect(announcers).toHaveLength(2);
});

describe('an id that another process has', () => {
  const taken: Reply = { was: false, isTaken: true, members: ['a', 'b'] };

  test('is refused at the start if that process goes on announcing itself', async () => {
    const { starting, clock } = start(taken);
    const refused = expect(starting).rejects.toThrow('another running instance has the INSTANCE_ID a');
    await clock.advance(3_500);
    await refused;
  });

  test('is taken over at the start as soon as that process has been silent', async () => {
    const { starting, clock, membership, onTaken } = start(taken, taken, taken, taken, both);
    const admitted = vi.fn();
    void starting.then(admitted);
    await clock.advance(1_500);
    expect(admitted).not.toHaveBeenCalled();
    await clock.advance(500);
    expect(admitted).toHaveBeenCalled();
    await clock.advance(10_000);
    expect(membership.members).toEqual(['a', 'b']);
    expect(onTaken).not.toHaveBeenCalled();
  });

  test('does not hold up the start while Redis does not answer', async () => {
    const { starting, clock } = start(taken, 'none');
    await clock.advance(500);
    await starting;
  });

  test('ends a process that was frozen until another one had taken its id', async () => {
    const { clock, onTaken } = await started(both, taken);
    await clock.advance(3_000);
    expect(onTaken).not.toHaveBeenCalled();
    await clock.advance(10_000);
    expect(onTaken).toHaveBeenCalledOnce();
  });
});
