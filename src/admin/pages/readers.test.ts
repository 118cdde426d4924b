import { describe, expect, test } from 'vitest';
import { AdminBrowser, addresses, orderId, signedIn, words } from '../../../test/support/admin-browser.ts';
import { type FakeWorld, fakeInstance, fakeLost, fakeStatus } from '../../../test/support/fake-admin.ts';
import { fakeNow, fakeOrder } from '../../../test/support/fake-engine.ts';

describe('an operator who may only read', () => {
  const reader = (world: Partial<FakeWorld> = {}) =>
    new AdminBrowser(world, {}, { mayChange: false }).logIn();
  const forms = addresses.filter(([method]) => method === 'POST');
  const ofReaders = ['/admin/log-out', '/admin/orders/search'];

  test.each(forms.filter(([, path]) => !ofReaders.includes(path)))(
    '%s %s is refused with 403',
    async (_method, path) => {
      const user = await reader();
      const answer = await user.post(path, { confirmed: 'yes', email: 'ana@example.com' });
      expect(answer.status).toBe(403);
      expect(words(answer.text)).toContain('This operator may only read.');
      expect(user.service.calls).toEqual([]);
    },
  );

  test('sees every page, says who is logged in, finds orders by email, and logs out', async () => {
    const user = await reader({ orders: [{ order: fakeOrder(), since: fakeNow }] });
    const other = await signedIn({ orders: [{ order: fakeOrder(), since: fakeNow }] });
    for (const [, path] of addresses.filter(([method]) => method === 'GET')) {
      const { status, text } = await user.get(path);
      expect([path, status]).toEqual([path, (await other.get(path)).status]);
      // A fragment and a file are no pages.
      const isPage = text.startsWith('<!doctype html>');
      expect(words(text).includes('You are logged in as admin , who may only read.'), path).toBe(isPage);
    }
    expect((await other.get('/admin')).text).not.toContain('may only read');
    const found = await user.post('/admin/orders/search', { email: 'ana@example.com' });
    expect([found.status, found.text.includes(orderId)]).toEqual([200, true]);
    expect((await user.post('/admin/log-out')).status).toBe(303);
    expect((await user.get('/admin/log')).status).toBe(401);
  });

  test('is shown nothing that changes something, because the page hides what is marked so', async () => {
    const user = await reader({
      packages: [fakeStatus(), fakeStatus({ id: 2, paused: true }, {}, { obstacle: 'paused' })],
      instances: [fakeInstance('instance-1'), fakeInstance('instance-2'), fakeLost('instance-3')],
      orders: [{ order: fakeOrder({ status: 'held' }), since: 0, health: 'stuck' }],
    });
    for (const [, path] of addresses.filter(([method]) => method === 'GET')) {
      const { text } = await user.get(path);
      const marked = /\sdata-changes[\s>]/;
      for (const [form, action = ''] of text.matchAll(/<form[^>]*method="post" action="([^"]*)"[^>]*>/g)) {
        expect(marked.test(form), `${path} ${form}`).toBe(!ofReaders.includes(action));
      }
      const links = [...text.matchAll(/<a [^>]*href="[^"]*\/(?:pause|drain|cancel|new)"[^>]*>/g)];
      for (const [link] of links) expect(link, path).toMatch(marked);
      if (text.startsWith('<!doctype')) expect(text).toContain('class="admin read-only"');
      expect(text, path).not.toContain('href="/admin/erase"');
    }
  });
});
