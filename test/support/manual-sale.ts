import type { Page } from 'playwright-core';
import { buy } from './api-client.ts';
import { type ManualSupplier, startManualSupplier } from './manual-supplier.ts';
import { onSale, startServer, type TestServer } from './server.ts';

/** A server for browser tests. Package 1 has one unit, package 2 has five. Tests decide when the suppliers answer. */
export interface ManualSale {
  readonly supplier: ManualSupplier;
  readonly server: TestServer;
  /** Lets another buyer's order take the only unit of package 1. That order then waits for its flight. */
  otherHolds(): Promise<void>;
  stop(): Promise<void>;
}

export async function startManualSale(): Promise<ManualSale> {
  const supplier = await startManualSupplier();
  const server = await startServer({
    settings: { SUPPLIERS_URL: supplier.url, SUPPLIER_TIMEOUT_MS: '60000' },
    packages: [onSale({ id: 1, quota: 1 }), onSale({ id: 2, flight: 'Flight-2', quota: 5 })],
  });
  return {
    supplier,
    server,
    async otherHolds() {
      supplier.hold('other@example.com');
      await buy(server.origin, 1, { email: 'other@example.com', prefer: 'respond-async' });
    },
    async stop() {
      await server.stop();
      await supplier.stop();
    },
  };
}

/** Orders the chosen trip on the order page, and waits for the order's page. */
export async function order(page: Page, email = 'ana@example.com'): Promise<void> {
  await page.getByLabel('Your email').fill(email);
  await page.locator('#buy').click();
  await page.waitForURL('**/orders/*');
}

export function heading(page: Page, name: string) {
  return page.getByRole('heading', { level: 1, name });
}
