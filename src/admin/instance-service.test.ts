import { describe, expect, it, vi } from 'vitest';
import { anOperator } from '../../test/support/admin-service-fixture.ts';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import type { EngineLoad, PeerHandler, Peers } from '../engine/operated-engine.ts';
import type { Json } from '../lib/json.ts';
import { InstanceService } from './instance-service.ts';
import { decodeStatusReport, statusReportOf } from './instance-status.ts';

const activity = {
  bucketMs: 2_000,
  endedAt: 0,
  purchasesPerS: [0, 1],
  batchSize: [0, 2],
  commitMs: [0, 3],
  recent: { purchasesPerS: 4, batchSize: 2, commitMs: 3 },
  mailbox: 5,
};
const load: EngineLoad = { packages: [{ packageId: 1, activity }], sagas: 6, isDraining: false };
const failing = { supplier: 'hotels', packages: 1, firstPackages: [7], since: 5 } as const;
const processLoad = () => ({ eventLoopLagMs: 1.5, rssBytes: 1_000 });

function viewWith(
  answers: Record<string, Json | undefined> = {},
  readinessProblems: () => Promise<string[]> = async () => [],
) {
  const clock = new ManualClock();
  const leave = vi.fn();
  const calls: string[] = [];
  let handler: PeerHandler | undefined;
  const peers: Peers = {
    members: () => ['one', ...Object.keys(answers)].sort(),
    status: async (instance) => {
      calls.push(instance);
      return answers[instance];
    },
    available: true,
    drain: async (instance) => answers[instance] !== undefined,
    serve: (served) => {
      handler = served;
    },
  };
  const view = new InstanceService(
    {
      ...{
        engine: { load: () => load, peers, readinessProblems, suppliersMostlyAvailable: false },
        clock,
        instance: 'one',
        version: '1.2.3',
        processLoad,
      },
      ...{ sockets: () => 7, failing: () => [failing], leave },
    },
    { record: (_request, change) => change() },
  );
  return { view, clock, leave, calls, handler: () => handler as PeerHandler };
}

describe('instances', () => {
  it('are listed by id, and an instance without a readable report is shown as silent', async () => {
    const other = statusReportOf({
      ...{ engine: { ...load, isDraining: true }, process: processLoad(), sockets: 1 },
      ...{ startedAt: 5, version: '1.2.4', missing: [], suppliersAvailable: true, failing: [] },
    });
    const { view } = viewWith({ two: other, three: undefined, zero: { state: 'odd' } });
    expect(await view.list()).toMatchObject([
      {
        id: 'one',
        isThis: true,
        state: 'ready',
        version: '1.2.3',
        load: { packages: 1, mailbox: 5, sagas: 6, sockets: 7, purchasesPerS: 4, eventLoopLagMs: 1.5 },
      },
      { id: 'three', isThis: false, state: 'silent' },
      { id: 'two', isThis: false, state: 'draining', startedAt: 5, version: '1.2.4' },
      { id: 'zero', state: 'silent' },
    ]);
  });

  it('report their readiness problems, and whether their suppliers are available', async () => {
    const { view, handler } = viewWith({}, async () => ['the store does not answer']);
    const missing = ['the store does not answer'];
    const told = { state: 'not_ready', missing, suppliersAvailable: false, failing: [failing] };
    expect(await view.list()).toMatchObject([told]);
    expect(await handler().status()).toMatchObject(told);
  });

  it('are asked for their status once a second, however many operators watch', async () => {
    const { view, calls, clock } = viewWith({ two: undefined });
    await Promise.all([view.list(), view.list()]);
    await view.list();
    expect(calls).toEqual(['two']);
    await clock.advance(1_000);
    await view.list();
    expect(calls).toEqual(['two', 'two']);
  });

  it('accept reports of a newer release without the members that they do not know, and of an older release', async () => {
    const { handler } = viewWith();
    const status = (await handler().status()) as Record<string, Json>;
    expect(decodeStatusReport({ ...status, more: 1 })).toEqual(status);
    const { failing: _, ...older } = status;
    expect(decodeStatusReport(older)).toEqual({ ...status, failing: [] });
  });
});

describe('draining', () => {
  it('drains this instance once, whether the request comes directly or through another instance', async () => {
    const { view, leave, clock, handler } = viewWith();
    expect(await view.drain(anOperator, 'one')).toEqual({ kind: 'done', value: { instance: 'one' } });
    expect(await view.list()).toMatchObject([{ state: 'draining' }]);
    handler().drain();
    await runUntilIdle();
    expect(leave).not.toHaveBeenCalled();
    await clock.advance(1_000);
    expect(leave).toHaveBeenCalledOnce();
  });

  it('sends the request to another instance, and is refused if that instance does not answer or does not exist', async () => {
    const { view, leave, clock } = viewWith({ two: {}, three: undefined });
    expect(await view.drain(anOperator, 'two')).toMatchObject({ kind: 'done' });
    expect(await view.drain(anOperator, 'three')).toMatchObject({ code: 'no_answer' });
    expect(await view.drain(anOperator, 'four')).toMatchObject({ code: 'unknown_instance' });
    await clock.advance(1_000);
    expect(leave).not.toHaveBeenCalled();
  });
});
