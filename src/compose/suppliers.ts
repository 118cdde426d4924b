import type { LedgerSource } from '../audit/bounded-reads.ts';
import type { Config, PaymentsConfig, SuppliersConfig } from '../config/config.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import { systemRandom } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import { httpPayments } from '../suppliers/http-payments.ts';
import { httpSuppliers } from '../suppliers/http-suppliers.ts';
import { resilientSuppliers } from '../suppliers/resilient-suppliers.ts';
import { simulatedSuppliers } from '../suppliers/simulated-suppliers.ts';
import type {
  PaymentClient,
  SimulationLedger,
  SupplierClient,
  SupplierLedger,
} from '../suppliers/suppliers.ts';

/**
 * Returns the simulated suppliers, and the suppliers for bookings: the simulated ones, or those at the URL. The suppliers
 * for bookings include the payment provider, if payments are on.
 */
export function composeSuppliers(
  config: SuppliersConfig,
  ledger: SupplierLedger,
  log: Log,
  observers: { readonly tracing?: Tracing; readonly metrics?: Metrics } = {},
  payments?: PaymentClient,
) {
  const { url, token, timeoutMs, flightFailureRate, hotelFailureRate, latencyMs } = config;
  const random = systemRandom();
  const chances = { flightFailureRate, hotelFailureRate, latencyMs };
  const simulated = simulatedSuppliers({ ledger, random, clock, ...chances });
  const client: SupplierClient =
    url === undefined ? simulated : httpSuppliers({ url, ...defined({ token }), ...observers });
  return {
    simulated,
    suppliers: resilientSuppliers({ client, payments, clock, random, log, timeoutMs, ...observers }),
  };
}

/** Entries in one page of the simulation's ledgers. */
const pageSize = 1000;

/**
 * The ledgers of the suppliers and the payment provider, for audits. Those at a URL may demand a token, so such a ledger is
 * optional if none is set.
 */
export function ledgerOf(
  { suppliers, payments }: Pick<Config, 'suppliers' | 'payments'>,
  simulated: SimulationLedger,
): LedgerSource {
  return { ...supplierLedger(suppliers, simulated), ...paymentLedger(payments, simulated) };
}

function supplierLedger({ url, token }: SuppliersConfig, simulated: SimulationLedger): LedgerSource {
  if (url === undefined) return { ledger: (kind, cursor) => simulated.page(kind, cursor, pageSize) };
  const { origin } = new URL(url);
  if (token === undefined) return { ...httpSuppliers({ url }), origin, isOptional: true };
  return { ...httpSuppliers({ url, token }), origin };
}

function paymentLedger(
  { provider, token }: PaymentsConfig,
  simulated: SimulationLedger,
): Partial<LedgerSource> {
  if (provider === undefined) return {};
  if (provider === 'simulated')
    return { payments: (cursor) => simulated.payments.page(cursor, pageSize), provider };
  const client = httpPayments({ url: provider, returnUrl: () => provider, ...defined({ token }) });
  const { origin: paymentsOrigin } = new URL(provider);
  const arePaymentsOptional = token === undefined;
  return { payments: client.payments, provider: client.provider, paymentsOrigin, arePaymentsOptional };
}
