import { describe, expect, it, vi } from 'vitest';
import { sampleChange, sampleOrder } from '../../test/contract/samples.ts';
import { closedLedger, openAdminBench } from '../../test/support/admin-service-fixture.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import type { LedgerReader, LedgerSource } from '../audit/bounded-reads.ts';
import type { Result } from '../engine/operated-engine.ts';
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { AuditService } from './audit-service.ts';

it('only one audit runs at a time, and each audit reports its findings', async () => {
  await using bench = await openAdminBench();
  const { fence, inventory } = (await bench.store.versionedPackage(1))!;
  await bench.store.commit(
    1,
    fence,
    sampleChange({ inventory, inserted: [sampleOrder(1, { status: 'held' })] }),
  );
  const [first, second] = await Promise.all([bench.service.audits.run(), bench.service.audits.run()]);
  expect(first).toMatchObject({ kind: 'done', value: { ok: false, orders: 1, suppliersRead: false } });
  expect(second).toEqual({ kind: 'refused', code: 'audit_running' });
  expect(await bench.service.audits.run()).toMatchObject({ kind: 'done' });
});

it('a new audit can start after an audit has failed', async () => {
  let isAway = true;
  const ledger: LedgerReader = {
    async ledger() {
      if (isAway) throw new StoreUnavailableError('away');
      return { items: [] };
    },
  };
  await using bench = await openAdminBench({ over: { ledger } });
  await expect(bench.service.audits.run()).rejects.toBeInstanceOf(StoreUnavailableError);
  isAway = false;
  expect(await bench.service.audits.run()).toMatchObject({ kind: 'done', value: { ok: true } });
});

describe('a ledger that cannot be read', () => {
  const refused = { kind: 'refused', code: 'ledger_unavailable' };
  const auditsOf = (reader: LedgerReader, clock = new ManualClock()) => {
    const log = recordingLog();
    const store = openSqliteStore({ file: ':memory:' });
    return { audits: new AuditService({ store, clock, log, ledger: reader }), clock, log };
  };

  it('is reported before anything else is read, and its cause is logged', async () => {
    const { audits, log } = auditsOf({ ledger: () => Promise.reject(new Error('status 401')) });
    expect(await audits.run()).toEqual(refused);
    expect(log.lines).toEqual([expect.stringContaining('ledger cannot be read')]);
  });

  it('is reported also if it fails in the middle of an audit', async () => {
    const { audits, clock } = auditsOf({
      ledger: async (kind) => {
        if (kind === 'hotels') throw new Error('away');
        return { items: [] };
      },
    });
    const running = audits.run();
    await clock.advance(1_000);
    expect(await running).toEqual(refused);
  });

  it('is reported if its cursor does not advance', async () => {
    const { audits, clock } = auditsOf({ ledger: async () => ({ items: [], next: 'again' }) });
    const running = audits.run();
    await clock.advance(1_000);
    expect(await running).toEqual(refused);
  });

  it('is reported if it hangs, the read is aborted, and the next audit can start', async () => {
    const stopped = vi.fn();
    let hangs = true;
    const { audits, clock } = auditsOf({
      ledger: async (_kind, _cursor, signal) => {
        if (!hangs) return { items: [] };
        signal?.addEventListener('abort', stopped);
        return new Promise(() => {});
      },
    });
    const running = audits.run();
    await clock.advance(3_900);
    expect(stopped).not.toHaveBeenCalled();
    // The refusal comes before the response begins (api/slow-json.ts), so it still sets the status.
    await clock.advance(200);
    expect(await running).toEqual(refused);
    expect(stopped).toHaveBeenCalledOnce();
    hangs = false;
    const next = audits.run();
    await clock.advance(1_000);
    expect(await next).toMatchObject({ kind: 'done', value: { ok: true, suppliersRead: true } });
  });
});

describe('a reconciliation', () => {
  const ledger: LedgerReader = {
    ledger: async () => ({ items: [{ key: 'ORDER-9', number: 'X-9', status: 'active' }] }),
  };
  const valueIn = <Value>(result: Result<Value>): Value => {
    if (result.kind === 'refused') throw new Error(result.code);
    return result.value;
  };

  it('compares the stored orders with the ledgers', async () => {
    await using bench = await openAdminBench({ over: { ledger } });
    const rows: unknown[] = [];
    for await (const page of valueIn(await bench.service.audits.reconcile())) rows.push(...page);
    expect(rows).toEqual([
      { kind: 'no_order', ledger: 'flights', orderId: 'ORDER-9', inLedger: 'X-9' },
      { kind: 'no_order', ledger: 'hotels', orderId: 'ORDER-9', inLedger: 'X-9' },
    ]);
  });

  it('is the only one until its reader has read it or left it, and audits run beside it', async () => {
    await using bench = await openAdminBench({ over: { ledger } });
    const { audits } = bench.service;
    const first = valueIn(await audits.reconcile());
    await first.next();
    expect(await audits.reconcile()).toEqual({ kind: 'refused', code: 'audit_running' });
    expect(await audits.run()).toMatchObject({ kind: 'done' });
    await first.return(undefined);
    const second = valueIn(await audits.reconcile());
    const rows: unknown[] = [];
    for await (const page of second) rows.push(...page);
    expect(rows).toHaveLength(2);
    expect(await audits.reconcile()).toMatchObject({ kind: 'done' });
  });

  it('is refused if the ledger demands a token, and another one can begin afterwards', async () => {
    const log = recordingLog();
    let isClosed = true;
    const source: LedgerSource = {
      isOptional: true,
      ledger: (kind) => (isClosed ? closedLedger.ledger(kind) : ledger.ledger(kind)),
    };
    await using bench = await openAdminBench({ over: { ledger: source, log } });
    const refused = { kind: 'refused', code: 'ledger_unavailable' };
    expect(await bench.service.audits.reconcile()).toEqual(refused);
    expect(log.lines).toEqual([expect.stringContaining('there is no reconciliation')]);
    isClosed = false;
    expect(await bench.service.audits.reconcile()).toMatchObject({ kind: 'done' });
  });

  it('can begin again after one that failed in the middle', async () => {
    let isAway = false;
    const source: LedgerSource = {
      ledger: async (kind) => {
        if (isAway) throw new Error('away');
        return ledger.ledger(kind);
      },
    };
    await using bench = await openAdminBench({ over: { ledger: source } });
    const pages = valueIn(await bench.service.audits.reconcile());
    await pages.next();
    isAway = true;
    await expect(pages.next()).rejects.toThrow('away');
    isAway = false;
    expect(await bench.service.audits.reconcile()).toMatchObject({ kind: 'done' });
  });
});
