import { beforeEach, describe, expect, it } from 'vitest';
import { WaitingCallers } from './waiting-callers.ts';

const never = new AbortController().signal;

describe('WaitingCallers', () => {
  let callers: WaitingCallers<number>;
  let turns: string[];
  beforeEach(() => {
    callers = new WaitingCallers();
    turns = [];
  });

  function wait(name: string, { signal = never, isUrgent = false } = {}): Promise<void> {
    return callers.wait(signal, isUrgent).then(
      (turn) => void turns.push(`${name} ${turn}`),
      (reason: unknown) => void turns.push(`${name} ${reason}`),
    );
  }

  it('admits urgent callers first, then the others in the order in which they came', async () => {
    const all = [wait('a'), wait('b'), wait('c', { isUrgent: true }), wait('d')];
    expect([callers.size, callers.isNextUrgent]).toEqual([4, true]);
    for (const turn of [1, 2, 3, 4]) expect(callers.admit(turn)).toBe(true);
    await Promise.all(all);
    expect(turns).toEqual(['c 1', 'a 2', 'b 3', 'd 4']);
    expect([callers.size, callers.isNextUrgent, callers.admit(5)]).toEqual([0, false, false]);
  });

  it('lets a stopped caller leave, and admits the next one instead', async () => {
    const stopped = new AbortController();
    const all = [wait('a', { signal: stopped.signal }), wait('b')];
    stopped.abort('stopped');
    expect(callers.size).toBe(1);
    callers.admit(1);
    stopped.abort('again');
    await Promise.all(all);
    expect(turns.sort()).toEqual(['a stopped', 'b 1']);
  });

  it('rejects a caller that was stopped before, and does not count it', async () => {
    await wait('a', { signal: AbortSignal.abort('stopped') });
    expect(turns).toEqual(['a stopped']);
    expect([callers.size, callers.admit(1)]).toEqual([0, false]);
  });

  it('keeps the order of many callers that come and go', async () => {
    const all: Promise<void>[] = [];
    const expected: string[] = [];
    for (let round = 0; round < 5_000; round++) {
      const stop = new AbortController();
      all.push(wait(`${round}`), wait('left', { signal: stop.signal }));
      stop.abort('early');
      if (round % 3 !== 0) callers.admit(0);
      expected.push(`${round} 0`);
    }
    while (callers.admit(0));
    await Promise.all(all);
    expect(turns.filter((turn) => !turn.startsWith('left'))).toEqual(expected);
  });
});
