import { describe, expect, test } from 'vitest';
import { signedIn, words } from '../../../test/support/admin-browser.ts';
import { fakeNow, fakeOrder } from '../../../test/support/fake-engine.ts';

const ana = { order: fakeOrder(), since: fakeNow };
const path = '/admin/export/orders.csv';

describe('the export', () => {
  test('has a form for orders and a link to the reconciliation, also from the list of orders', async () => {
    const user = await signedIn();
    const { text } = await user.get('/admin/export?package=7&status=confirmed&from=2030-01-01');
    expect(text).toContain(`action="${path}"`);
    expect(text).toContain('href="/admin/export/reconciliation.csv"');
    expect(text).toMatch(/name="package"[^>]* value="7"/);
    expect(text).toContain('<option value="confirmed" selected>');
    expect(text).toMatch(/name="from"[^>]* value="2030-01-01"/);
    const orders = await user.get('/admin/orders?package=7&status=confirmed');
    expect(orders.text).toContain('href="/admin/export?package=7&amp;status=confirmed"');
    expect((await user.get('/admin/orders?status=stuck')).text).toContain(
      'href="/admin/export?package=&amp;status="',
    );
  });

  test('sends the orders that the form asks for, and its empty fields ask for all', async () => {
    const user = await signedIn({ orders: [ana] });
    const all = await user.get(`${path}?package=&status=&from=&to=`);
    expect([all.status, all.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(all.headers.get('content-disposition')).toBe('attachment; filename="orders.csv"');
    expect(all.text.split('\r\n')).toHaveLength(3);
    expect(all.text).toContain(`\r\n${ana.order.id},1,1,`);
    const of = async (query: string) => (await user.get(`${path}?${query}`)).text.split('\r\n').length - 2;
    expect(await of('package=1&status=queued&from=2022-08-01&to=2022-08-02')).toBe(1);
    expect(await of('package=2')).toBe(0);
    expect(await of('status=held')).toBe(0);
    expect(await of('from=2022-08-02')).toBe(0);
    expect(await of('to=2022-08-01')).toBe(0);
  });

  test.each([
    ['package=0', 'package', 'Package must be a whole number, 1 or more.'],
    ['from=yesterday', 'from', 'Ordered from must be a date'],
    ['from=2030-01-02&to=2030-01-01', 'to', 'Ordered before must be after from.'],
  ])('shows what is wrong with %s', async (query, field, message) => {
    const answer = await (await signedIn()).get(`${path}?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(`id="${field}-error"`);
    expect(words(answer.text)).toContain(message);
  });

  test('sends the reconciliation, or a page that says why there is none', async () => {
    const user = await signedIn({
      reconciled: [{ kind: 'no_order', ledger: 'flights', orderId: 'AAAA', inLedger: 'F-1' }],
    });
    const { status, headers, text } = await user.get('/admin/export/reconciliation.csv');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(text).toContain('\r\nno_order,flights,AAAA,,,,,F-1\r\n');
    const code = 'ledger_unavailable' as const;
    const without = await signedIn({}, { audits: { reconcile: async () => ({ kind: 'refused', code }) } });
    const refused = await without.get('/admin/export/reconciliation.csv');
    expect(refused.status).toBe(502);
    expect(words(refused.text)).toContain('The suppliers&#39; ledger cannot be read.');
  });
});
