import { expect, it } from 'vitest';
import { StoreUnavailableError } from '../ports/store.ts';
import { sampleChange, sampleOrder } from '../testing/contract/samples.ts';
import { setOperations } from '../testing/support/operations-bench.ts';

it('an audit finds what is wrong, one at a time', async () => {
  await using bench = await setOperations();
  const { fence, figures } = (await bench.store.present(1))!;
  await bench.store.commit(
    1,
    fence,
    sampleChange({ figures, inserted: [sampleOrder(1, { status: 'held' })] }),
  );
  const [first, second] = await Promise.all([bench.operations.audit(), bench.operations.audit()]);
  expect(first).toMatchObject({ kind: 'done', value: { ok: false, orders: 1, suppliersRead: false } });
  expect(second).toEqual({ kind: 'refused', code: 'audit_running' });
  expect(await bench.operations.audit()).toMatchObject({ kind: 'done' });
});

it('an audit that fails leaves room for the next', async () => {
  let isAway = true;
  const ledger = async () => {
    if (isAway) throw new StoreUnavailableError('away');
    return undefined;
  };
  await using bench = await setOperations({ over: { ledger } });
  await expect(bench.operations.audit()).rejects.toBeInstanceOf(StoreUnavailableError);
  isAway = false;
  expect(await bench.operations.audit()).toMatchObject({ kind: 'done', value: { ok: true } });
});
