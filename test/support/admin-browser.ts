import { expect } from 'vitest';
import { OverviewReader } from '../../src/admin/pages/overview.ts';
import { PackageRows } from '../../src/admin/pages/package-rows.ts';
import { adminRoutes } from '../../src/admin/pages/routes.ts';
import { silentLog } from '../../src/observability/log.ts';
import { fanoutDefaults } from '../../src/realtime/fanout.ts';
import { type AdminOverrides, type FakeWorld, fakeAdmin, fakeAuth } from './fake-admin.ts';
import { fakeEngine, fakeNow, fakeOrder } from './fake-engine.ts';

const settings = { instanceId: 'instance-1', secret: 's'.repeat(32), currency: 'USD' };
export const { id: orderId } = fakeOrder();

/** Every route of the admin pages. */
export const addresses: readonly [method: 'GET' | 'POST', path: string][] = [
  ['GET', '/admin'],
  ['GET', '/admin/fragments'],
  ['POST', '/admin/log-out'],
  ['POST', '/admin/packages'],
  ['GET', '/admin/packages/new'],
  ['GET', '/admin/packages/1'],
  ['POST', '/admin/packages/1'],
  ['GET', '/admin/packages/1/quota?quota=60'],
  ['POST', '/admin/packages/1/quota'],
  ['GET', '/admin/packages/1/pause'],
  ['POST', '/admin/packages/1/pause'],
  ['POST', '/admin/packages/1/resume'],
  ['GET', '/admin/packages/archived'],
  ['GET', '/admin/packages/1/archive'],
  ['POST', '/admin/packages/1/archive'],
  ['GET', '/admin/packages/1/delete'],
  ['POST', '/admin/packages/1/delete'],
  ['GET', '/admin/instances/instance-2/drain'],
  ['POST', '/admin/instances/instance-2/drain'],
  ['POST', '/admin/instances/instance-2/dismiss'],
  ['GET', '/admin/orders'],
  ['POST', '/admin/orders/search'],
  ['GET', `/admin/orders/${orderId}`],
  ['POST', `/admin/orders/${orderId}/retry`],
  ['GET', `/admin/orders/${orderId}/cancel`],
  ['POST', `/admin/orders/${orderId}/cancel`],
  ['GET', '/admin/log'],
  ['GET', '/admin/export'],
  ['GET', '/admin/export/orders.csv'],
  ['GET', '/admin/export/reconciliation.csv'],
  ['GET', '/admin/erase'],
  ['POST', '/admin/erase'],
  ['GET', '/admin/dead-letters'],
  ['POST', '/admin/dead-letters/retry'],
  ['GET', '/admin/dead-letters/discard?channel=mail'],
  ['POST', '/admin/dead-letters/discard'],
  ['GET', '/admin/nothing-here'],
];

type Fields = Readonly<Record<string, string>>;

/** A browser that keeps cookies and visits the admin pages of a fake service. */
export class AdminBrowser {
  readonly service;
  readonly auth;
  readonly #routes;
  #cookies = new Map<string, string>();

  constructor(
    world: Partial<FakeWorld> = {},
    overrides: AdminOverrides = {},
    rights: { readonly mayChange?: boolean } = {},
  ) {
    this.auth = fakeAuth(undefined, undefined, rights);
    this.service = fakeAdmin(world, overrides);
    this.#routes = adminRoutes({
      service: this.service,
      auth: this.auth,
      overview: new OverviewReader({ service: this.service, clock: { now: () => fakeNow } }),
      rows: new PackageRows('USD', fanoutDefaults),
      engine: fakeEngine(),
      clock: { now: () => fakeNow, monotonic: () => 0, sleep: async () => {} },
      log: silentLog,
      settings,
      assetUrl: (name) => `/assets/${name}`,
    });
  }

  async get(path: string) {
    return this.#ask(path, {});
  }

  async post(path: string, fields: Fields = {}, headers: Fields = {}) {
    return this.#ask(path, { method: 'POST', body: new URLSearchParams(fields), headers });
  }

  async logIn(): Promise<this> {
    expect((await this.post('/admin/log-in', { token: 'open-sesame' })).status).toBe(303);
    return this;
  }

  /** Follows the redirect of an answer. */
  async follow(answer: { readonly location: string | null }) {
    return this.get(answer.location ?? '');
  }

  async #ask(path: string, init: { method?: string; body?: URLSearchParams; headers?: Fields }) {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    const answer = await this.#routes.request(path, { ...init, headers: { ...init.headers, cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (/Max-Age=0/.test(set)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const { status, headers } = answer;
    return { status, headers, location: headers.get('location'), text: await answer.text() };
  }
}

/** A browser of an operator who is logged in. */
export const signedIn = (world: Partial<FakeWorld> = {}, overrides: AdminOverrides = {}) =>
  new AdminBrowser(world, overrides).logIn();

/** The hidden fields of a confirmation page, by name. */
export function hidden(text: string): Record<string, string> {
  const fields = text.matchAll(/<input type="hidden" name="(?<name>[^"]+)" value="(?<value>[^"]*)"/g);
  return Object.fromEntries([...fields].map(({ groups }) => [groups?.name, groups?.value]));
}

/** The text of a page, with single blanks between its parts. */
export const words = (text: string) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
