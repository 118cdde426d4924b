import { describe, expect, test } from 'vitest';
import { type Messages, NoAnswerError } from '../../../cluster/messages.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { Json } from '../../../lib/json.ts';
import { silentLog } from '../../../observability/log.ts';
import { Candidates } from '../candidates.ts';
import { PeerService } from './peers.ts';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  type InstanceRequest,
} from './protocol.ts';
import { Router } from './router.ts';

type Handler = (request: Json, from: string) => Promise<Json>;

/** Two instances in this process, each with a peer service behind its router. */
function pair() {
  const handlers = new Map<string, Handler>();
  const instanceOf = (self: string) => {
    const messages: Messages = {
      members: () => [...handlers.keys()],
      onMembers: () => () => {},
      async ask(to, request) {
        const handler = handlers.get(to);
        if (handler === undefined) throw new NoAnswerError(to);
        return JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(request)), self)));
      },
      serve: (handler) => void handlers.set(self, handler),
      join: async () => {},
      leave: async () => {},
      available: true,
      close: async () => {},
    };
    const desk = new PeerService(messages);
    const local = {
      send: async () => ({ kind: 'notOwner' }) as const,
      withdraw() {},
      isActive: () => false,
      mayOwn: true,
    };
    const others = {
      candidates: new Candidates(() => messages.members()),
      traffic: { note() {} },
      takeOver() {},
      noteUnable() {},
      clock: systemClock,
      log: silentLog,
      commandTimeoutMs: 100,
      store: { owner: async () => undefined },
    };
    new Router({ instance: self, messages, local, peers: desk, ...others });
    return desk;
  };
  return { one: instanceOf('one'), two: instanceOf('two') };
}

describe('peers', () => {
  test('read each other’s status and can drain each other', async () => {
    const { one, two } = pair();
    let drained = 0;
    two.serve({ status: async () => ({ load: [1, { a: null }] }), drain: () => void drained++ });
    expect(one.members()).toEqual(['one', 'two']);
    expect(await one.status('two', 100)).toEqual({ load: [1, { a: null }] });
    expect(await one.drain('two')).toBe(true);
    expect(drained).toBe(1);
  });

  test('give no answer if they have no handler or do not exist', async () => {
    const { one } = pair();
    expect(await one.status('two', 100)).toBeUndefined();
    expect(await one.drain('two')).toBe(false);
    expect(await one.status('three', 100)).toBeUndefined();
    expect(await one.drain('three')).toBe(false);
  });

  test('give no answer if their handler fails', async () => {
    const { one, two } = pair();
    two.serve({ status: () => Promise.reject(new Error('a bug')), drain() {} });
    expect(await one.status('two', 100)).toBeUndefined();
  });
});

describe('requests of operators on the wire', () => {
  const update = { kind: 'update', version: 3, flight: 'F', stay: '2030-01-01', price: 5, quota: 0 } as const;
  const erasures = [{ orderId: '7Q4M-9XKD-2VBN-H5TR', email: 'x@erased.invalid', key: 'erased-x' }];
  const commands = [
    { ...update, opensAt: null, closesAt: 7, paused: false, inDoubt: true },
    { kind: 'retry', orderId: '7Q4M-9XKD-2VBN-H5TR' },
    { kind: 'erase', email: 'ana@example.com', erasures },
  ] as const;

  test.each(commands)('the command $kind is decoded as it was sent', (command) => {
    const request: InstanceRequest = { kind: 'command', packageId: 1, patienceMs: 10, command };
    const { v: _, ...received } = decodeRequest(encodeRequest(request)) as InstanceRequest & { v: number };
    expect(received).toEqual(request);
  });

  test('are encoded under the names that older releases know', () => {
    const { command } = encodeRequest({ kind: 'command', packageId: 1, patienceMs: 1, command: update }) as {
      command: unknown;
    };
    expect(command).toEqual({ ...update, kind: 'amend' });
    expect(encodeAnswer({ kind: 'notOwner' })).toEqual({ v: 1, kind: 'elsewhere' });
    expect(decodeAnswer({ v: 1, kind: 'elsewhere' })).toEqual({ kind: 'notOwner' });
  });

  test('an answer is decoded as it was sent', () => {
    expect(decodeAnswer(encodeAnswer({ kind: 'erased', left: 2 }))).toEqual({ kind: 'erased', left: 2 });
  });

  test('a message with more than 1,000 erasures is refused', () => {
    const command = { kind: 'erase', email: 'a@b', erasures: Array(1_001).fill(erasures[0]) } as const;
    expect(
      decodeRequest(encodeRequest({ kind: 'command', packageId: 1, patienceMs: 1, command })),
    ).toBeUndefined();
  });
});
