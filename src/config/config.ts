import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import { defined } from '../lib/defined.ts';
import { ConfigError, redacted } from './config-error.ts';
import { notificationContradictions, notificationSettings, notificationsOf } from './notifications.ts';
import { mainOperator, type OperatorConfig, operatorTokens } from './operators.ts';
import { isRedisUrl, redisUrlsAllowed } from './redis-url.ts';
import {
  database,
  duration,
  isCurrency,
  oneOf,
  onOff,
  origin,
  payments,
  rate,
  rateLimit,
  redlockUrls,
  token,
  trustProxy,
  url,
  webhookSecret,
  whole,
} from './setting-types.ts';
import { resemblingSettings } from './unknown-settings.ts';

export { ConfigError } from './config-error.ts';

const engines = ['actor', 'lock', 'queue'] as const;
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Settings whose values are never shown. */
const secrets: ReadonlySet<string> = new Set([
  ...['SECRET', 'ADMIN_TOKEN', 'ADMIN_TOKENS', 'SUPPLIERS_TOKEN'],
  ...['PAYMENTS_TOKEN', 'PAYMENTS_WEBHOOK_SECRET'],
  ...['SMTP_URL', 'WEBHOOK_URL', 'WEBHOOK_SECRET'],
]);

const settings = z.object({
  PORT: whole(0, 65_535, 8888),
  HOST: z
    .string()
    .regex(/^[\w.:%-]+$/, 'an IP address or a host name, for example 127.0.0.1')
    .optional(),
  DATABASE_URL: z.string().default('sqlite:./data/booking.db').transform(database),
  REDIS_URL: z.string().refine(isRedisUrl, redisUrlsAllowed).optional(),
  REDLOCK_URLS: z.string().transform(redlockUrls).optional(),
  ENGINE: oneOf(engines, 'actor'),
  INSTANCE_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, dots, dashes and underscores')
    .default(uniqueName),
  LEASE_TTL_MS: whole(500, 600_000, 5000),
  WAITERS_PER_UNIT: whole(0, 100_000, 64),
  WAITERS_MAX: whole(0, 10_000_000, 100_000),
  ORDERS_PER_EMAIL: whole(0, 1_000_000, 0),
  RETENTION_DAYS: whole(0, 36_500, 0),
  SUPPLIERS_URL: url(['http:', 'https:'], 'http://127.0.0.1:8890/api/suppliers').optional(),
  SUPPLIERS_TOKEN: token().optional(),
  PUBLIC_SUPPLIERS: onOff().optional(),
  SUPPLIER_TIMEOUT_MS: whole(1, 600_000, 2000),
  SUPPLIER_LATENCY_MS: whole(0, 600_000, 0),
  FLIGHT_FAILURE_RATE: rate(0.5),
  HOTEL_FAILURE_RATE: rate(0),
  PAYMENTS: payments(),
  PAYMENTS_TOKEN: token().optional(),
  PAYMENTS_WEBHOOK_SECRET: webhookSecret().optional(),
  PAYMENT_WINDOW: duration(1_000, 604_800_000, '5m'),
  PAYMENT_PAY_RATE: rate(0),
  PAYMENT_DECLINE_RATE: rate(0),
  SECRET: token().optional(),
  ADMIN_TOKEN: token().optional(),
  ADMIN_TOKENS: z.string().transform(operatorTokens).optional(),
  TRUST_PROXY: trustProxy(),
  RATE_LIMIT: onOff().default(true),
  RATE_LIMIT_PURCHASES: rateLimit('500/10s'),
  RATE_LIMIT_EMAIL: rateLimit('100/10s'),
  RATE_LIMIT_LOOKUPS: rateLimit('1000/10s'),
  RATE_LIMIT_READS: rateLimit('2000/10s'),
  RATE_LIMIT_SOCKETS: rateLimit('1000/10s'),
  SOCKETS_PER_CLIENT: whole(0, 1_000_000, 1_000),
  CONNECTIONS_PER_CLIENT: whole(0, 1_000_000, 2_000),
  CURRENCY: z
    .string()
    .transform((text) => text.toUpperCase())
    .refine(isCurrency, 'an ISO 4217 code, for example USD')
    .default('USD'),
  LOG_LEVEL: oneOf(logLevels, 'info'),
  PUBLIC_ORIGIN: origin().optional(),
  ...notificationSettings,
  // Standard variables of OpenTelemetry. Here they decide which parts of OpenTelemetry are loaded.
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.string().optional(),
  OTEL_METRICS_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: z.string().optional(),
  OTEL_METRIC_EXPORT_INTERVAL: whole(100, 3_600_000, 60_000),
});

let processName: string | undefined;

/**
 * The name of this process, the same at each call. Containers often share the host name and the process id, so these
 * alone do not identify an instance.
 */
function uniqueName(): string {
  const host = hostname().replace(/[^A-Za-z0-9._-]/g, '-');
  processName ??= `${host.slice(0, 47)}-${process.pid}-${randomBytes(4).toString('hex')}`;
  return processName;
}

type Settings = z.output<typeof settings>;

/** All settings, checked. Times are in ms. */
export type Config = Readonly<ReturnType<typeof toConfig>>;
export type DatabaseConfig = Settings['DATABASE_URL'];
export type SuppliersConfig = Config['suppliers'];
export type PaymentsConfig = Config['payments'];

/** The names of all settings. */
export const settingNames = Object.keys(settings.shape) as (keyof Settings)[];

/**
 * Reads the settings from an environment. An empty value counts as unset.
 * @throws ConfigError with every setting that is wrong or contradicts another.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    settingNames
      .map((name) => [name, environment[name]?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  ) as Record<string, string>;
  const parsed = settingNames.map((name) => ({ name, ...settings.shape[name].safeParse(given[name]) }));
  const read = Object.fromEntries(parsed.map(({ name, data }) => [name, data])) as Partial<Settings>;
  const wrong = parsed.flatMap(({ name, error }) =>
    error === undefined ? [] : [{ setting: name, allowed: `${error.issues[0]?.message}.` }],
  );
  // A setting with an invalid value is not reported again as part of a contradiction.
  const isWrong = new Set(wrong.map(({ setting }) => setting));
  const contradictions: Contradiction[] = [
    ...storeContradictions(read, isWrong),
    ...operatorContradictions(read),
    ...paymentContradictions(read),
    ...notificationContradictions(read, isWrong),
  ].filter(({ setting }) => !isWrong.has(setting));
  const refusals = [...wrong, ...contradictions].map((refusal) => ({
    ...refusal,
    value: secrets.has(refusal.setting) ? redacted : (given[refusal.setting] ?? ''),
  }));
  if (refusals.length > 0) throw new ConfigError(refusals);
  return toConfig(read as Settings);
}

/** A warning for each variable that looks like a misspelt setting. */
export function settingWarnings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string[] {
  return resemblingSettings(environment, settingNames);
}

/** {@link readConfig} for a command, which shows the warnings of {@link settingWarnings} on standard error. */
export function readSettings(): Config {
  warnOfUnknownSettings();
  return readConfig();
}

export function warnOfUnknownSettings(): void {
  for (const warning of settingWarnings()) console.error(warning);
}

interface Contradiction {
  readonly setting: keyof Settings;
  readonly allowed: string;
}

function storeContradictions(read: Partial<Settings>, isWrong: ReadonlySet<string>): Contradiction[] {
  if (isWrong.has('DATABASE_URL')) return [];
  const refuse = (allowed: Partial<Record<keyof Settings, string>>): Contradiction[] =>
    settingNames.flatMap((setting) => {
      const isSet = setting === 'ENGINE' ? read.ENGINE !== 'actor' : read[setting] !== undefined;
      const reason = allowed[setting];
      return isSet && reason !== undefined ? [{ setting, allowed: reason }] : [];
    });
  if (read.DATABASE_URL?.kind === 'sqlite') {
    const alone = 'SQLite serves one process alone; several instances need DATABASE_URL=mongodb://….';
    const engine = 'with SQLite it is actor; lock and queue need DATABASE_URL=mongodb://… and REDIS_URL.';
    return refuse({ REDIS_URL: alone, REDLOCK_URLS: alone, ENGINE: engine });
  }
  if (read.REDIS_URL !== undefined || isWrong.has('REDIS_URL')) return [];
  return refuse({
    REDLOCK_URLS: 'it needs REDIS_URL, which carries the messages.',
    ENGINE: 'lock and queue need REDIS_URL.',
  });
}

function operatorContradictions({ ADMIN_TOKEN, ADMIN_TOKENS = [] }: Partial<Settings>): Contradiction[] {
  const at = ADMIN_TOKENS.findIndex(({ token: ofOperator }) => ofOperator === ADMIN_TOKEN);
  if (at < 0) return [];
  return [{ setting: 'ADMIN_TOKENS', allowed: `entry ${at + 1} has the token of ADMIN_TOKEN.` }];
}

function paymentContradictions(read: Partial<Settings>): Contradiction[] {
  const { PAYMENTS = 'off', ENGINE, PAYMENT_PAY_RATE = 0, PAYMENT_DECLINE_RATE = 0 } = read;
  const found: Contradiction[] = [];
  if (PAYMENTS !== 'off' && ENGINE !== undefined && ENGINE !== 'actor')
    found.push({ setting: 'PAYMENTS', allowed: 'lock and queue know no payments; it needs ENGINE=actor.' });
  if (PAYMENT_PAY_RATE + PAYMENT_DECLINE_RATE > 1)
    found.push({ setting: 'PAYMENT_DECLINE_RATE', allowed: 'with PAYMENT_PAY_RATE it is at most 1.' });
  return found;
}

function toConfig(read: Settings) {
  return {
    /** The port to listen on; 0 takes any free port. */
    port: read.PORT,
    database: read.DATABASE_URL,
    engine: read.ENGINE,
    instanceId: read.INSTANCE_ID,
    leaseTtlMs: read.LEASE_TTL_MS,
    waitersPerUnit: read.WAITERS_PER_UNIT,
    waitersMax: read.WAITERS_MAX,
    /** The most orders of one package that one email may have at the same time; 0 means no limit. */
    ordersPerEmail: read.ORDERS_PER_EMAIL,
    /** After how many days ended orders and the like are archived; 0 means never. */
    retentionDays: read.RETENTION_DAYS,
    suppliers: {
      ...defined({
        /**
         * The URL of the suppliers without a trailing slash. If absent, the simulated suppliers of this process are
         * used.
         */
        url: read.SUPPLIERS_URL?.replace(/\/+$/, ''),
        token: read.SUPPLIERS_TOKEN,
      }),
      /** Whether the public may reserve at the simulated suppliers. With other suppliers there is no need for it. */
      arePublic: read.PUBLIC_SUPPLIERS ?? read.SUPPLIERS_URL === undefined,
      timeoutMs: read.SUPPLIER_TIMEOUT_MS,
      latencyMs: read.SUPPLIER_LATENCY_MS,
      flightFailureRate: read.FLIGHT_FAILURE_RATE,
      hotelFailureRate: read.HOTEL_FAILURE_RATE,
    },
    payments: {
      ...defined({
        /** `simulated`, or the URL of the payment provider without a trailing slash. Absent: payments are off. */
        provider: read.PAYMENTS === 'off' ? undefined : read.PAYMENTS.replace(/\/+$/, ''),
        token: read.PAYMENTS_TOKEN,
        /** The secret that signs the provider's events, in base64. */
        webhookSecret: read.PAYMENTS_WEBHOOK_SECRET,
      }),
      /** How long a payment is due. */
      windowMs: read.PAYMENT_WINDOW,
      /** How often a simulated payment is paid by itself, and how often it is declined. */
      payRate: read.PAYMENT_PAY_RATE,
      declineRate: read.PAYMENT_DECLINE_RATE,
    },
    /** All operators. Empty: there are no operators' pages and no admin API. */
    operators: operators(read),
    /** How outcomes of orders are told. Empty: nobody is told. */
    notifications: notificationsOf(read),
    trustProxy: read.TRUST_PROXY,
    currency: read.CURRENCY,
    logLevel: read.LOG_LEVEL,
    ...defined({
      /**
       * The network address to listen on. If absent, the server listens on all addresses of the machine, IPv6 and IPv4.
       */
      host: read.HOST,
      redisUrl: read.REDIS_URL,
      /** The Redis nodes for leases. If absent, the only node is the Redis at `redisUrl`. */
      redlockUrls: read.REDLOCK_URLS,
      secret: read.SECRET,
      adminToken: read.ADMIN_TOKEN,
      /** The origin in the customers' URLs, without a trailing slash. */
      publicOrigin: read.PUBLIC_ORIGIN,
      /** Absent if tracing is off. OpenTelemetry reads its other settings itself. */
      tracing: tracing(read),
      /** How metrics are sent to a collector. Absent if they are not. */
      metricsPush: metricsPush(read),
      /** Absent if there are no limits. */
      limits: read.RATE_LIMIT ? limits(read) : undefined,
    }),
  };
}

/** The operator of `ADMIN_TOKEN`, and those of `ADMIN_TOKENS`. */
function operators({ ADMIN_TOKEN, ADMIN_TOKENS = [] }: Settings): readonly OperatorConfig[] {
  const main = ADMIN_TOKEN === undefined ? [] : [{ name: mainOperator, token: ADMIN_TOKEN, mayChange: true }];
  return [...main, ...ADMIN_TOKENS];
}

/** The limits per client and per email. */
function limits(read: Settings) {
  return {
    purchases: read.RATE_LIMIT_PURCHASES,
    /** Purchases with one email, by all clients together. */
    purchasesPerEmail: read.RATE_LIMIT_EMAIL,
    /** Look-ups and cancellations of orders by one client. */
    lookUps: read.RATE_LIMIT_LOOKUPS,
    /** Reads of packages and pages by one client. */
    reads: read.RATE_LIMIT_READS,
    /** WebSockets that one client opens. */
    sockets: read.RATE_LIMIT_SOCKETS,
    /** The most open WebSockets of one client; 0 means no limit. */
    socketsPerClient: read.SOCKETS_PER_CLIENT,
    /** The most open connections of one client; 0 means no limit. */
    connectionsPerClient: read.CONNECTIONS_PER_CLIENT,
  };
}

/**
 * The settings of tracing, undefined if it is off. As OpenTelemetry defines, only `true` disables it, and the exporter
 * `none` exports nothing.
 */
function tracing(read: Settings): { readonly protocol?: string } | undefined {
  const endpoint = read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? read.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isDisabled = read.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || read.OTEL_TRACES_EXPORTER === 'none';
  if (endpoint === undefined || isDisabled) return undefined;
  return defined({ protocol: read.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? read.OTEL_EXPORTER_OTLP_PROTOCOL });
}

/** The settings of the export of metrics, by the same rules as {@link tracing}. */
function metricsPush(
  read: Settings,
): { readonly protocol?: string; readonly intervalMs: number } | undefined {
  const endpoint = read.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? read.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isDisabled =
    read.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || read.OTEL_METRICS_EXPORTER === 'none';
  if (endpoint === undefined || isDisabled) return undefined;
  const protocol = read.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ?? read.OTEL_EXPORTER_OTLP_PROTOCOL;
  return { intervalMs: read.OTEL_METRIC_EXPORT_INTERVAL, ...defined({ protocol }) };
}
