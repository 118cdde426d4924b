import { describe, expect, it, vi } from 'vitest';
import { anOperator } from '../../test/support/admin-service-fixture.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import type { Result } from '../engine/operated-engine.ts';
import { systemRandom } from '../lib/random.ts';
import type { OperatorLog } from '../storage/operator-log.ts';
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { ChangeLog } from './change-log.ts';

const away = () => Promise.reject(new StoreUnavailableError('away'));

function logOver(over: Partial<OperatorLog> = {}) {
  const sqlite = openSqliteStore({ file: ':memory:' });
  const store: OperatorLog = {
    appendOperatorEvent: (event) => sqlite.appendOperatorEvent(event),
    endOperatorEvent: (id, end) => sqlite.endOperatorEvent(id, end),
    operatorEvents: (cursor, limit) => sqlite.operatorEvents(cursor, limit),
    ...over,
  };
  const clock = new ManualClock();
  const book = recordingLog();
  const log = new ChangeLog({ store, clock, random: systemRandom(), log: book, instance: 'one' });
  const entries = async () => (await sqlite.operatorEvents(undefined, 10)).items;
  return { log, entries, clock, book };
}

const request = {
  by: anOperator,
  action: 'package.pause',
  target: { packageId: 1 },
  wish: { paused: true },
  before: { version: 1 },
} as const;

describe('ChangeLog', () => {
  it('writes an open entry before the change, and ends it before the answer', async () => {
    const { log, entries } = logOver();
    const outcome = await log.record<number>(
      request,
      async () => {
        expect(await entries()).toMatchObject([{ ...request, instance: 'one', outcome: 'open' }]);
        return { kind: 'done', value: 5 };
      },
      (value) => ({ value }),
    );
    expect(outcome).toEqual({ kind: 'done', value: 5 });
    expect(await entries()).toMatchObject([{ ...request, outcome: 'done', after: { value: 5 } }]);
  });

  it('changes nothing if the entry cannot be written', async () => {
    const { log } = logOver({ appendOperatorEvent: away });
    const change = vi.fn(async (): Promise<Result<true>> => ({ kind: 'done', value: true }));
    expect(await log.record(request, change)).toEqual({ kind: 'refused', code: 'store_unavailable' });
    expect(change).not.toHaveBeenCalled();
  });

  it.each([
    ['quota_too_low', 'refused'],
    ['no_owner', 'failed'],
    ['no_answer', 'failed'],
    ['store_unavailable', 'failed'],
  ] as const)('logs a change that ends as %s with the outcome %s', async (code, outcome) => {
    const { log, entries } = logOver();
    await log.record(request, async () => ({ kind: 'refused', code }));
    expect(await entries()).toMatchObject([{ outcome, code }]);
  });

  it('logs a change as failed if it throws, and rethrows unknown errors', async () => {
    const { log, entries } = logOver();
    const bug = log.record(request, () => Promise.reject(new TypeError('a bug')));
    await expect(bug).rejects.toThrow('a bug');
    expect(await log.record(request, away)).toEqual({ kind: 'refused', code: 'store_unavailable' });
    expect(await entries()).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }]);
  });

  it('retries ending an entry, and returns the result even if every try fails', async () => {
    const ends = vi.fn(away);
    const { log, entries, clock, book } = logOver({ endOperatorEvent: ends });
    const outcome = log.record<number>(request, async () => ({ kind: 'done', value: 5 }));
    await clock.advance(10_000);
    expect(await outcome).toEqual({ kind: 'done', value: 5 });
    expect(ends).toHaveBeenCalledTimes(4);
    expect(await entries()).toMatchObject([{ outcome: 'open', wish: { paused: true } }]);
    expect(book.lines.at(-1)).toContain('its entry stays open');
  });
});
