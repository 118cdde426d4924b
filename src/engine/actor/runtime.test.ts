import { beforeEach, describe, expect, test, vi } from 'vitest';
import { grantedLeases } from '../../../test/support/granted-leases.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Lease, Leases } from '../../cluster/lease.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observability/log.ts';
import {
  CommitUnknownError,
  FencedError,
  StoreUnavailableError,
  UnreadableError,
} from '../../storage/store.ts';
import { type Actor, type Behaviour, GoneError } from './activation.ts';
import { ActorRuntime } from './runtime.ts';

interface Note {
  readonly text: string;
  readonly inDoubt?: boolean;
}

/** An actor, and also its own behaviour, that records its messages. Its commits can be made to fail. */
class Notebook implements Behaviour<Note, Notebook>, Actor<Note, null, readonly Note[]> {
  readonly written: string[] = [];
  readonly batches: number[] = [];
  readonly dropped: string[] = [];
  readonly redirected: string[] = [];
  readonly unknowns: string[] = [];
  readonly expired: string[] = [];
  /** The abort signal of each activation. */
  readonly signals: AbortSignal[] = [];
  epochs = 0;
  attempts = 0;
  idle = true;
  /** Throws to make a commit fail. */
  obstacle: (batch: readonly Note[]) => void = () => {};
  hold: Promise<void> = Promise.resolve();
  /** Work that each commit awaits, set by the test. */
  work: () => Promise<void> = async () => {};

  /** Work of each activation, set by the test. May throw. */
  activation: () => Promise<void> = async () => {};

  async activate(id: number) {
    if (id === 404) return undefined;
    await this.activation();
    this.epochs += 1;
    return this;
  }
  resume(signal: AbortSignal) {
    this.signals.push(signal);
  }
  async loadLookups() {
    return null;
  }
  decide(batch: readonly Note[]) {
    return batch;
  }
  async commit(batch: readonly Note[]) {
    await this.hold;
    await this.work();
    this.attempts += 1;
    this.obstacle(batch);
    this.batches.push(batch.length);
    this.written.push(...batch.map((note) => (note.inDoubt ? `${note.text}?` : note.text)));
  }
  apply() {}
  runEffects() {}
  expire(batch: readonly Note[], now: number) {
    const isPatient = ({ text }: Note) => !text.startsWith('impatient') && now !== Number.POSITIVE_INFINITY;
    this.expired.push(...batch.filter((note) => !isPatient(note)).map((note) => note.text));
    return batch.filter(isPatient);
  }
  redirect(batch: readonly Note[]) {
    this.redirected.push(...batch.map((note) => note.text));
  }
  unknown(batch: readonly Note[]) {
    this.unknowns.push(...batch.map((note) => note.text));
  }
  drop(note: Note) {
    this.dropped.push(note.text);
  }
  doubt(batch: readonly Note[]) {
    return batch.map((note) => ({ ...note, inDoubt: true }));
  }
  get isIdle() {
    return this.idle;
  }
  end() {}
}

function start(
  notebook: Notebook,
  options: { idleMs?: number; leases?: Leases; mailboxMax?: number; onFenced?: (id: number) => void } = {},
) {
  return new ActorRuntime({ behaviour: notebook, clock: systemClock, log: silentLog, ...options });
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 5 });

describe('group commit', () => {
  test('the mailbox fills while a commit is in flight, and the next commit takes all of it', async () => {
    const notebook = new Notebook();
    const open = Promise.withResolvers<void>();
    notebook.hold = open.promise;
    const runtime = start(notebook);
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(notebook.epochs).toBe(1));
    await new Promise((resolve) => setImmediate(resolve));
    for (const text of ['b', 'c', 'd']) runtime.tell(1, { text });
    open.resolve();
    await settled(() => expect(notebook.written).toEqual(['a', 'b', 'c', 'd']));
    expect(notebook.batches).toEqual([1, 3]);
    await runtime.drain();
  });

  test('only the message that can never be stored is dropped, and the other messages keep their sequence', async () => {
    const notebook = new Notebook();
    notebook.obstacle = (batch) => {
      if (batch.some((note) => note.text === 'poison')) throw new TypeError('never');
    };
    const runtime = start(notebook);
    for (const text of ['a', 'b', 'poison', 'c', 'd']) runtime.tell(1, { text });
    await settled(() => expect(notebook.written).toEqual(['a', 'b', 'c', 'd']));
    expect(notebook.dropped).toEqual(['poison']);
    expect(notebook.epochs).toBe(1);
    await runtime.drain();
  });

  test('Q7 a message that cannot be committed but is stored already is not dropped', async () => {
    const notebook = new Notebook();
    notebook.obstacle = (batch) => {
      if (batch.some((note) => note.text === 'again' && note.inDoubt !== true))
        throw new TypeError('it is there');
    };
    const runtime = start(notebook);
    for (const text of ['a', 'again', 'b']) runtime.tell(1, { text });
    await settled(() => expect(notebook.written).toEqual(['a', 'again?', 'b']));
    expect(notebook.dropped).toEqual([]);
    await runtime.drain();
  });

  test('the batch waits while the store is away, and no message is lost', async () => {
    const notebook = new Notebook();
    let failures = 3;
    notebook.obstacle = () => {
      if (failures-- > 0) throw new StoreUnavailableError('away');
    };
    const runtime = start(notebook);
    for (const text of ['a', 'b']) runtime.tell(1, { text });
    await settled(() => expect(notebook.written).toEqual(['a', 'b']));
    expect(notebook.epochs).toBe(1);
    await runtime.drain();
  });

  test('messages in the mailbox are answered in time while the store is away', async () => {
    const notebook = new Notebook();
    let isAway = true;
    notebook.obstacle = () => {
      if (isAway) throw new StoreUnavailableError('away');
    };
    const runtime = start(notebook);
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(notebook.attempts).toBeGreaterThan(0));
    for (const text of ['b', 'impatient', 'c']) runtime.tell(1, { text });
    await settled(() => expect(notebook.expired).toEqual(['impatient']));
    isAway = false;
    await settled(() => expect(notebook.written).toEqual(['a', 'b', 'c']));
    await runtime.drain();
  });
});

describe('activations', () => {
  test.each([
    ['Q6 an unknown commit', () => new CommitUnknownError('lost')],
    ['Q9 a fenced one', () => new FencedError('stale')],
  ])(
    '%s ends the activation and its sagas; the batch comes again in doubt, under a new epoch, in order',
    async (_, error) => {
      const notebook = new Notebook();
      let failures = 1;
      notebook.obstacle = () => {
        if (failures-- > 0) throw error();
      };
      const runtime = start(notebook);
      for (const text of ['a', 'b', 'c']) runtime.tell(1, { text });
      await settled(() => expect(notebook.written).toEqual(['a?', 'b?', 'c?']));
      expect(notebook.epochs).toBe(2);
      expect(notebook.signals.map(({ aborted }) => aborted)).toEqual([true, false]);
      await runtime.drain();
      expect(notebook.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    },
  );

  test('Q5 an interrupted bisection keeps the messages in sequence', async () => {
    const notebook = new Notebook();
    let commits = 0;
    notebook.obstacle = (batch) => {
      commits += 1;
      if (commits === 1) throw new TypeError('never');
      if (commits === 2) throw new FencedError('stale');
      if (batch.some((note) => note.text === 'poison')) throw new TypeError('never');
    };
    const runtime = start(notebook);
    for (const text of ['a', 'b', 'c', 'poison']) runtime.tell(1, { text });
    await settled(() => expect(notebook.dropped).toEqual(['poison']));
    await settled(() => expect(notebook.written).toEqual(['a?', 'b?', 'c']));
    await runtime.drain();
  });

  test('an idle actor is passivated, and wakes again with the next message', async () => {
    const notebook = new Notebook();
    const runtime = start(notebook, { idleMs: 1 });
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(runtime.activeIds()).toEqual([]));
    runtime.tell(1, { text: 'b' });
    await settled(() => expect(notebook.written).toEqual(['a', 'b']));
    expect(notebook.epochs).toBe(2);
    await runtime.drain();
  });

  test('an actor with unfinished work is not passivated', async () => {
    const notebook = new Notebook();
    notebook.idle = false;
    const runtime = start(notebook, { idleMs: 1 });
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(notebook.written).toEqual(['a']));
    await systemClock.sleep(20);
    expect(runtime.activeIds()).toEqual([1]);
    await runtime.drain();
  });

  test('answer messages to an actor that does not exist', async () => {
    const notebook = new Notebook();
    const runtime = start(notebook);
    runtime.tell(404, { text: 'a' });
    await settled(() => expect(notebook.unknowns).toEqual(['a']));
    await runtime.drain();
  });

  test('Q12 refuse a message that refers to an unreadable document, and process the others', async () => {
    const notebook = new Notebook();
    const runtime = start(notebook);
    notebook.obstacle = (batch) => {
      if (batch.some(({ text }) => text === 'bad')) throw new UnreadableError({ packageId: 1, orderId: 'A' });
    };
    for (const text of ['a', 'bad', 'b']) runtime.tell(1, { text });
    await settled(() => expect(notebook.written).toEqual(['a', 'b']));
    expect([notebook.expired, notebook.dropped]).toEqual([['bad'], []]);
    await runtime.drain();
  });

  test('end when their package was removed, and answer waiting and later messages', async () => {
    const notebook = new Notebook();
    const fencedFor: number[] = [];
    const runtime = start(notebook, { onFenced: (id) => fencedFor.push(id) });
    notebook.obstacle = () => {
      throw new GoneError('removed');
    };
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(notebook.unknowns).toEqual(['a']));
    await settled(() => expect(runtime.activeIds()).toEqual([]));
    expect([notebook.epochs, fencedFor]).toEqual([1, []]);
    await runtime.drain();
  });

  test('Q9 do not begin if the actor was released while its lease was acquired', async () => {
    const notebook = new Notebook();
    const acquired = Promise.withResolvers<Lease>();
    const acquire = vi.fn(() => acquired.promise);
    const runtime = start(notebook, { leases: { ...grantedLeases(), acquire } });
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(acquire).toHaveBeenCalled());
    const released = runtime.release(1);
    const release = vi.fn(async () => {});
    acquired.resolve({ lost: new AbortController().signal, isHeld: () => true, release });
    await released;
    expect([notebook.epochs, notebook.redirected, release.mock.calls.length]).toEqual([0, ['a'], 1]);
  });

  test('end at once when they are retired', async () => {
    const notebook = new Notebook();
    const runtime = start(notebook);
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(notebook.written).toEqual(['a']));
    runtime.retire(1);
    runtime.tell(1, { text: 'b' });
    await settled(() => expect(runtime.activeIds()).toEqual([]));
    expect([notebook.unknowns, notebook.redirected]).toEqual([['b'], []]);
    await runtime.drain();
  });
});

describe('draining', () => {
  test('messages in the mailboxes are committed, and new messages are refused', async () => {
    const notebook = new Notebook();
    const runtime = start(notebook);
    for (const text of ['a', 'b']) runtime.tell(1, { text });
    await runtime.drain();
    expect(notebook.written).toEqual(['a', 'b']);
    expect(runtime.tell(1, { text: 'c' })).toBe(false);
  });

  test('messages that cannot be committed within the timeout are answered', async () => {
    const notebook = new Notebook();
    notebook.obstacle = () => {
      throw new StoreUnavailableError('away');
    };
    const runtime = start(notebook);
    runtime.tell(1, { text: 'a' });
    await settled(() => expect(notebook.epochs).toBe(1));
    await runtime.drain(10);
    expect(notebook.redirected).toEqual(['a']);
  });
});

test('a full mailbox refuses messages', async () => {
  const notebook = new Notebook();
  notebook.hold = new Promise(() => {});
  const runtime = start(notebook, { mailboxMax: 2 });
  const taken = Array.from({ length: 4 }, (_, index) => runtime.tell(1, { text: String(index) }));
  expect(taken).toEqual([true, true, false, false]);
});

describe('an overloaded runtime', () => {
  /** A runtime under overload: a full batch takes 300 ms. */
  async function overloaded() {
    const clock = new ManualClock();
    const notebook = new Notebook();
    notebook.work = () => clock.sleep(300);
    const runtime = new ActorRuntime({
      behaviour: notebook,
      clock,
      log: silentLog,
      batchMax: 10,
      shedAfterMs: 1_000,
    });
    const offer = (count: number) =>
      Array.from({ length: count }, (_, index) => runtime.tellIfInTime(1, { text: String(index) }));
    const taken = (count: number) => offer(count).filter(Boolean).length;
    offer(10);
    await clock.advance(0);
    offer(30);
    // The first batch is committed, so the rate is known. The second batch is in progress.
    await clock.advance(300);
    return { clock, notebook, runtime, taken };
  }

  test('refuses new messages once they would wait too long, and accepts them again as the mailbox empties', async () => {
    const { clock, notebook, runtime, taken } = await overloaded();
    expect(runtime.mailboxSize(1)).toBe(20);
    expect(taken(50)).toBe(14);
    // The rate limits `tellIfInTime`, but not `tell`.
    expect(runtime.tell(1, { text: 'a cancel' })).toBe(true);
    await clock.advance(300);
    expect(taken(50)).toBe(9);
    expect(notebook.batches.every((batch) => batch === 10)).toBe(true);
    await clock.advance(10_000);
    expect(taken(20)).toBe(20);
    void runtime.drain(0);
  });

  test('refuses no messages while the store is away', async () => {
    const { clock, notebook, runtime, taken } = await overloaded();
    notebook.obstacle = () => {
      throw new StoreUnavailableError('away');
    };
    await clock.advance(300);
    expect(taken(500)).toBe(500);
    void runtime.drain(0);
  });

  test('refuses no messages while a commit hangs', async () => {
    const { clock, notebook, runtime, taken } = await overloaded();
    notebook.work = () => new Promise(() => {});
    await clock.advance(1_400);
    expect(taken(500)).toBe(500);
    void runtime.drain(0);
  });

  test('refuses no messages just after a takeover', async () => {
    const { clock, notebook, runtime, taken } = await overloaded();
    notebook.obstacle = () => {
      notebook.obstacle = () => {};
      throw new FencedError('another owner');
    };
    await clock.advance(400);
    expect(notebook.epochs).toBe(2);
    expect(taken(500)).toBe(500);
    void runtime.drain(0);
  });
});

describe('attempts to activate', () => {
  describe('that can never succeed here', () => {
    let notebook: Notebook;
    let clock: ManualClock;
    let attempts: number;
    let runtime: ActorRuntime<Note, Notebook>;

    beforeEach(() => {
      notebook = new Notebook();
      clock = new ManualClock();
      attempts = 0;
      notebook.activation = async () => {
        attempts++;
        throw new TypeError('damaged');
      };
      runtime = new ActorRuntime({ behaviour: notebook, clock, log: silentLog });
    });

    /** Scans for actors that may be woken, once a second. */
    async function scan(seconds: number, ids: readonly number[]): Promise<void> {
      for (let second = 0; second < seconds; second++) {
        for (const id of ids) if (!runtime.isPausing(id)) void runtime.wake(id);
        await clock.advance(1_000);
      }
    }

    test('Q6 Q12 the actor is passed on, tried again after pauses, and activated within 5 s once it can be', async () => {
      runtime.tell(1, { text: 'a' });
      await clock.advance(0);
      expect(notebook.redirected).toEqual(['a']);
      expect(runtime.unableIds()).toEqual([1]);
      expect(runtime.activeIds()).toEqual([]);
      await scan(600, [1]);
      expect(attempts).toBeGreaterThan(100);
      expect(attempts).toBeLessThan(210);
      notebook.activation = async () => {};
      await scan(4, [1]);
      expect(runtime.actor(1)).toBeDefined();
      expect(runtime.unableIds()).toEqual([]);
      const drained = runtime.drain();
      await clock.advance(1);
      await drained;
    });

    test('Q12 many of them cause at most 100 attempts a second', async () => {
      const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);
      await scan(20, ids);
      attempts = 0;
      await scan(20, ids);
      expect(attempts).toBeGreaterThan(1_000);
      expect(attempts).toBeLessThanOrEqual(2_000);
    });

    test('Q12 attempts that take long take half of the time', async () => {
      notebook.activation = async () => {
        attempts++;
        await clock.sleep(4_000);
        throw new TypeError('damaged');
      };
      await scan(600, [1]);
      expect(attempts).toBeGreaterThan(40);
      expect(attempts).toBeLessThanOrEqual(80);
    });

    test('Q6 Q12 one attempt that a pause of the process made long delays no further ones', async () => {
      await scan(10, [1]);
      notebook.activation = async () => {
        await clock.sleep(20_000);
        throw new TypeError('damaged');
      };
      await scan(24, [1]);
      notebook.activation = async () => {};
      await scan(4, [1]);
      expect(runtime.actor(1)).toBeDefined();
      const drained = runtime.drain();
      await clock.advance(1);
      await drained;
    });
  });

  test('an actor is not passed on when only the store is away', async () => {
    const notebook = new Notebook();
    let isAway = true;
    notebook.activation = async () => {
      if (isAway) throw new StoreUnavailableError('away');
    };
    const runtime = start(notebook);
    expect(await runtime.wake(1)).toBe('failed');
    runtime.tell(1, { text: 'a' });
    isAway = false;
    await settled(() => expect(notebook.written).toEqual(['a']));
    expect(runtime.unableIds()).toEqual([]);
    expect(notebook.redirected).toEqual([]);
    await runtime.drain();
  });

  test('a mass of them is activated a few hundred at a time', async () => {
    const notebook = new Notebook();
    let underWay = 0;
    let mostUnderWay = 0;
    notebook.activation = async () => {
      mostUnderWay = Math.max(mostUnderWay, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    };
    const runtime = start(notebook);
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => runtime.wake(index + 1_000)));
    expect(notebook.epochs).toBe(1_000);
    expect(mostUnderWay).toBe(256);
    await runtime.drain();
  });
});
