import type { Config } from '../config/config.ts';
import type { PaymentRules } from '../domain/decide.ts';
import type { HttpPayments, HttpSettings } from '../http/app-services.ts';
import { orderSignature } from '../http/order-access.ts';
import { orderAddress } from '../http/pages/responses.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { minorUnitsOf } from '../lib/currency.ts';
import { defined } from '../lib/defined.ts';
import { systemRandom } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { Tracing } from '../observability/tracing.ts';
import { httpPayments } from '../suppliers/http-payments.ts';
import type { SignedEvent } from '../suppliers/payment-events.ts';
import { SimulatedPayments, simulatedPaymentClient } from '../suppliers/simulated-payments.ts';
import type { PaymentClient, PaymentEntry, PaymentLedger } from '../suppliers/suppliers.ts';

export interface OpenPayments {
  readonly client: PaymentClient;
  readonly rules: PaymentRules;
  /** What the routes need, except the engine's part. */
  readonly http: Omit<HttpPayments, 'lookUp'>;
}

interface PaymentParts {
  readonly config: Config;
  /** The ledger of the simulated provider. */
  readonly ledger: PaymentLedger;
  readonly settings: HttpSettings;
  readonly log: Log;
  readonly tracing?: Tracing;
  /** The origin at which buyers reach this server, once it listens. */
  readonly origin: () => string;
  /** Receives an event of the simulated provider. Returns the status of the answer. */
  readonly receive: (event: SignedEvent) => Promise<number>;
}

/** Opens the payments that a configuration names; undefined if they are off. Loads nothing then. */
export async function openPayments(parts: PaymentParts): Promise<OpenPayments | undefined> {
  const { payments: config, currency } = parts.config;
  const { provider, windowMs } = config;
  if (provider === undefined) return undefined;
  const rulesOf = (client: PaymentClient): PaymentRules => ({
    ...{ provider: client.provider, currency, minorPerUnit: minorUnitsOf(currency), windowMs },
  });
  const { secret } = parts.settings;
  // The provider knows the order's id and email, so the link shows it nothing that it could not look up.
  const returnUrl = (id: string) => parts.origin() + orderAddress(id, {}, orderSignature(secret, id));
  // The library is loaded only if it is used, to save memory and start time.
  const events = await import('../suppliers/payment-events.ts');
  if (provider === 'simulated') {
    const webhookSecret = config.webhookSecret ?? Buffer.from(systemRandom().bytes(32)).toString('base64');
    const sendEvent = async (payment: PaymentEntry) => {
      const signed = events.signedEvent(payment, webhookSecret, { clock, random: systemRandom() });
      const status = await parts.receive(signed);
      if (status >= 300) throw new Error(`the event was answered with status ${status}`);
    };
    const simulated = new SimulatedPayments({ ...simulationOptions(parts), sendEvent });
    const { origin } = parts;
    const client = simulatedPaymentClient(simulated, { origin, returnUrl });
    return {
      client,
      rules: rulesOf(client),
      http: { verify: events.eventVerifier(webhookSecret), simulated },
    };
  }
  const { token, webhookSecret } = config;
  const tracing = parts.tracing;
  const client = httpPayments({ url: provider, returnUrl, ...defined({ token, tracing }) });
  return {
    client,
    rules: rulesOf(client),
    http: defined({ verify: webhookSecret === undefined ? undefined : events.eventVerifier(webhookSecret) }),
  };
}

/** The options of a simulated provider, except how it sends events. */
export function simulationOptions({
  config: { payments, suppliers },
  ledger,
  log,
}: Pick<PaymentParts, 'ledger' | 'log'> & { readonly config: Pick<Config, 'payments' | 'suppliers'> }) {
  const { payRate, declineRate } = payments;
  const { latencyMs } = suppliers;
  return { ledger, log, clock, random: systemRandom(), payRate, declineRate, latencyMs };
}
