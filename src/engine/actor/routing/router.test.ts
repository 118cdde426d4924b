import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../../test/support/manual-clock.ts';
import { InboxFullError, type Messages, NoAnswerError } from '../../../cluster/messages.ts';
import type { Answer, NotOwner } from '../../../domain/messages.ts';
import type { Order } from '../../../domain/order.ts';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import type { Json } from '../../../lib/json.ts';
import { silentLog } from '../../../observability/log.ts';
import type { Command } from '../../commands.ts';
import { Candidates, preference } from '../candidates.ts';
import { decodeRequest, encodeRequest } from './protocol.ts';
import { Router } from './router.ts';

const order: Order = {
  id: '7Q4M-9XKD-2VBN-H5TR',
  packageId: 1,
  number: 1,
  package: { flight: 'Flight-1', stay: '2022-08-09', price: 100 },
  email: 'a@example.com',
  status: 'held',
  createdAt: 1,
  timeline: [{ at: 1, event: 'claimed' }],
};
const purchase: Command = { kind: 'purchase', orderId: order.id, email: order.email };

type Handler = (request: Json, from: string) => Promise<Json>;

/** A network of instances in this process. `fault` may throw instead of delivering. */
class Network {
  readonly handlers = new Map<string, Handler>();
  readonly sent: { to: string; request: Json }[] = [];
  fault: (to: string, request: Json) => void = () => {};

  messages(self: string): Messages {
    return {
      members: () => [...this.handlers.keys()].sort(),
      onMembers: () => () => {},
      ask: async (to, request) => {
        this.sent.push({ to, request });
        this.fault(to, request);
        const handler = this.handlers.get(to);
        if (handler === undefined) throw new NoAnswerError(to);
        return handler(JSON.parse(JSON.stringify(request)), self);
      },
      serve: (handler) => void this.handlers.set(self, handler),
      join: async () => {},
      leave: async () => void this.handlers.delete(self),
      available: true,
      close: async () => {},
    };
  }
}

/** An instance that owns the packages in `owned`. */
class Instance {
  readonly owned = new Set<number>();
  readonly got: Command[] = [];
  readonly withdrawn: string[] = [];
  /** Where the purchases that this instance decided had arrived. */
  readonly arrivals: [packageId: number, from: string][] = [];
  mayOwn = true;
  /** Whether the instance takes over packages without an owner. */
  takesOver = true;
  answer: Answer = { kind: 'accepted', order };
  readonly candidates: Candidates;
  readonly router: Router;

  constructor(
    name: string,
    network: Network,
    ownerInStore: () => string | undefined,
    clock: Clock = systemClock,
    commandTimeoutMs = 2_000,
  ) {
    const messages = network.messages(name);
    this.candidates = new Candidates(() => messages.members());
    this.router = new Router({
      instance: name,
      messages,
      local: this,
      candidates: this.candidates,
      traffic: { note: (packageId, from) => void this.arrivals.push([packageId, from]) },
      takeOver: (ids) => {
        for (const id of ids) this.owned.add(id);
      },
      noteUnable: (member, ids) => void this.candidates.addUnable(member, ids),
      store: { owner: async () => ownerInStore() },
      clock,
      log: silentLog,
      commandTimeoutMs,
    });
  }

  async send(packageId: number, command: Command): Promise<Answer | NotOwner> {
    if (!this.owned.has(packageId) && !this.takesOver) return { kind: 'notOwner' };
    this.owned.add(packageId);
    this.got.push(command);
    return this.answer;
  }
  withdraw(packageId: number, orderId: string): void {
    if (this.owned.has(packageId)) this.withdrawn.push(orderId);
  }
  isActive(packageId: number): boolean {
    return this.owned.has(packageId);
  }
}

let network: Network;
let ownerInStore: string | undefined;
let a: Instance;
let b: Instance;

beforeEach(() => {
  network = new Network();
  ownerInStore = undefined;
  a = new Instance('a', network, () => ownerInStore);
  b = new Instance('b', network, () => ownerInStore);
});

const accepted = { kind: 'accepted', order };
/** The id of a package that prefers this instance. */
const packageOf = (instance: string) =>
  Array.from({ length: 100 }, (_, index) => index + 1).find(
    (id) => preference(id, ['a', 'b'])[0] === instance,
  ) as number;

describe('finding the owner', () => {
  test('a command for a package of this instance needs no message', async () => {
    a.owned.add(1);
    expect(await a.router.send(1, purchase)).toEqual(accepted);
    expect(network.sent).toEqual([]);
  });

  test('the owner that the store names is asked, and is asked first the next time', async () => {
    ownerInStore = 'b';
    b.owned.add(1);
    expect(await a.router.send(1, purchase)).toEqual(accepted);
    ownerInStore = undefined;
    expect(await a.router.send(1, purchase)).toEqual(accepted);
    expect(network.sent.map(({ to }) => to)).toEqual(['b', 'b']);
  });

  test('the preferred instance takes over a package without an owner', async () => {
    const id = packageOf('b');
    expect(await a.router.send(id, purchase)).toEqual(accepted);
    expect(b.owned.has(id)).toBe(true);
  });

  test('an owner that is no longer a member is skipped', async () => {
    ownerInStore = 'gone';
    expect(await a.router.send(packageOf('a'), purchase)).toEqual(accepted);
  });

  test('Q6 after a missing answer the command is sent again with the same id, in doubt', async () => {
    const id = packageOf('b');
    let isLost = true;
    network.fault = () => {
      if (!isLost) return;
      isLost = false;
      throw new NoAnswerError('b');
    };
    a.takesOver = false;
    expect(await a.router.send(id, purchase)).toEqual(accepted);
    expect(b.got).toEqual([{ ...purchase, inDoubt: true }]);
  });

  test('Q7 a refusal counts only after no unanswered copy of the command can be stored any more', async () => {
    const clock = new ManualClock();
    a = new Instance('a', network, () => 'b', clock, 8_000);
    a.takesOver = false;
    b.answer = { kind: 'refused', code: 'queue_full' };
    let isLost = true;
    network.fault = () => {
      if (!isLost) return;
      isLost = false;
      throw new NoAnswerError('b');
    };
    const answered = vi.fn();
    const sending = a.router.send(packageOf('b'), purchase).then(answered);
    await clock.advance(3_000);
    expect(b.got.length).toBeGreaterThan(0);
    expect(answered).not.toHaveBeenCalled();
    // From now on the answer shows that the unanswered copy was stored.
    b.answer = { kind: 'accepted', order };
    await clock.advance(2_000);
    await sending;
    expect(answered).toHaveBeenCalledWith(accepted);
  });

  test('a refusal by the first instance asked counts at once', async () => {
    a = new Instance('a', network, () => 'b', new ManualClock());
    b.owned.add(1);
    b.answer = { kind: 'refused', code: 'queue_full' };
    expect(await a.router.send(1, purchase)).toEqual(b.answer);
  });

  test('a draining instance takes over no package', async () => {
    a.mayOwn = false;
    const id = packageOf('a');
    expect(await a.router.send(id, purchase)).toEqual(accepted);
    expect(b.got).toHaveLength(1);
    a.owned.clear();
    expect(await b.router.send(packageOf('a'), purchase)).toEqual(accepted);
    expect(a.got).toEqual([]);
  });

  test('a command is refused at its timeout if no instance answers', async () => {
    a.takesOver = false;
    b.takesOver = false;
    expect(await a.router.send(1, purchase)).toEqual({ kind: 'refused', code: 'no_owner' });
  });

  test('a command to a full inbox is not sent again', async () => {
    network.fault = () => {
      throw new InboxFullError('b');
    };
    expect(await a.router.send(packageOf('b'), purchase)).toEqual({ kind: 'refused', code: 'overloaded' });
  });
});

describe('a command that may be stored already', () => {
  test('Q6 is in doubt soon after a start, because the previous process may have stored it', async () => {
    const clock = new ManualClock();
    const restarted = new Instance('c', network, () => undefined, clock);
    restarted.owned.add(1);
    const handler = network.handlers.get('c') as Handler;
    const request = encodeRequest({ kind: 'command', packageId: 1, patienceMs: 10, command: purchase });
    await handler(request, 'a');
    expect(restarted.got).toEqual([{ ...purchase, inDoubt: true }]);
    await clock.advance(10_000);
    await handler(request, 'a');
    expect(restarted.got.at(-1)).toEqual(purchase);
  });

  test('Q6 is in doubt also if it is an operator’s update', async () => {
    ownerInStore = 'b';
    let isLost = true;
    network.fault = () => {
      if (!isLost) return;
      isLost = false;
      throw new NoAnswerError('b');
    };
    a.takesOver = false;
    const change: Command = { kind: 'update', version: 1, quota: 5 };
    await a.router.send(packageOf('b'), change);
    expect(b.got).toEqual([{ ...change, inDoubt: true }]);
  });

  test('is withdrawn from the queue when its sender gives up, if it has no key', async () => {
    ownerInStore = 'b';
    b.owned.add(1);
    a.takesOver = false;
    network.fault = (_to, request) => {
      if (decodeRequest(request)?.kind === 'command') throw new NoAnswerError('b');
    };
    expect(await a.router.send(1, purchase)).toEqual({ kind: 'refused', code: 'no_owner' });
    await vi.waitFor(() => expect(b.withdrawn).toEqual([order.id]));
  });

  test('stays in the queue when its sender gives up, if it has a key', async () => {
    ownerInStore = 'b';
    b.owned.add(1);
    a.takesOver = false;
    network.fault = (_to, request) => {
      if (decodeRequest(request)?.kind === 'command') throw new NoAnswerError('b');
    };
    await a.router.send(1, { ...purchase, key: 'k' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(b.withdrawn).toEqual([]);
  });
});

describe('a caller who hangs up', () => {
  test('is reported to the owner, even if this instance has sent that owner no command', async () => {
    ownerInStore = 'b';
    b.owned.add(1);
    a.router.withdraw(1, order.id);
    await vi.waitFor(() => expect(b.withdrawn).toEqual([order.id]));
  });

  test('is reported to this instance once it owns the package', async () => {
    b.owned.add(1);
    ownerInStore = 'b';
    await a.router.send(1, purchase);
    b.owned.delete(1);
    a.owned.add(1);
    a.router.withdraw(1, order.id);
    await vi.waitFor(() => expect(a.withdrawn).toEqual([order.id]));
  });
});

test('the owner is told at which instance the purchases arrive, and of no other commands', async () => {
  b.owned.add(1);
  ownerInStore = 'b';
  await a.router.send(1, purchase);
  await b.router.send(1, purchase);
  await a.router.send(1, { kind: 'cancel', orderId: order.id });
  expect(b.arrivals).toEqual([
    [1, 'a'],
    [1, 'b'],
  ]);
  expect(a.arrivals).toEqual([]);
});

test('wakeOnPreferred() wakes each package at the instance that it prefers', async () => {
  const mine = packageOf('a');
  a.router.wakeOnPreferred([mine, packageOf('b')]);
  await Promise.resolve();
  expect([...b.owned].sort()).toEqual([mine, packageOf('b')].sort());
});

test('Q12 a command passes by an instance that cannot own its package, and so does a hand-over', async () => {
  const c = new Instance('c', network, () => undefined);
  const all = ['a', 'b', 'c'];
  const id = Array.from({ length: 100 }, (_, index) => index + 1).find(
    (each) => preference(each, all).join('') === 'abc',
  ) as number;
  a.takesOver = false;
  a.router.tellUnable([id]);
  await vi.waitFor(() => expect(c.candidates.preferred(id)).toBe('b'));
  network.sent.length = 0;
  expect(await c.router.send(id, purchase)).toEqual(accepted);
  expect(network.sent.map(({ to }) => to)).toEqual(['b']);
  network.sent.length = 0;
  c.router.wakeOnPreferred([id]);
  expect(network.sent.map(({ to }) => to)).toEqual(['b']);
});

test('a hand-over of more packages than one message may name takes several messages', async () => {
  const ids = Array.from({ length: 25_001 }, (_, index) => index + 1);
  network.handlers.delete('a');
  a.router.wakeOnPreferred(ids);
  await Promise.resolve();
  expect(network.sent.map(({ to }) => to)).toEqual(['b', 'b', 'b']);
  expect([...b.owned].sort((one, other) => one - other)).toEqual(ids);
});

describe('two releases side by side', () => {
  test('unknown members of a message are ignored', () => {
    const request = encodeRequest({ kind: 'command', packageId: 1, patienceMs: 10, command: purchase });
    const later = { ...(request as object), trace: 'abc', command: { ...purchase, loyalty: 7 } } as Json;
    expect(decodeRequest(later)).toEqual(decodeRequest(request));
  });

  test('a message of a later version is answered with `elsewhere`, so that the sender tries another instance', async () => {
    const handler = network.handlers.get('b') as Handler;
    const request = encodeRequest({ kind: 'wake', packageIds: [1] });
    expect(await handler({ ...(request as object), v: 2 } as Json, 'a')).toMatchObject({ kind: 'elsewhere' });
    expect(b.owned.size).toBe(0);
  });
});
