import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, settingNames } from './config.ts';

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const mongodb = 'mongodb://a:27017,b:27017/booking?replicaSet=rs0';

describe('readConfig', () => {
  it('has a default for every setting', () => {
    expect(readConfig({})).toEqual({
      port: 8888,
      database: { kind: 'sqlite', file: './data/booking.db' },
      engine: 'actor',
      instanceId: expect.stringMatching(/^[\w.-]+-\d+-[0-9a-f]{8}$/),
      leaseTtlMs: 5000,
      waitersPerUnit: 64,
      waitersMax: 100_000,
      ordersPerEmail: 0,
      retentionDays: 0,
      suppliers: {
        arePublic: true,
        timeoutMs: 2000,
        latencyMs: 0,
        flightFailureRate: 0.5,
        hotelFailureRate: 0,
      },
      payments: { windowMs: 300_000, payRate: 0, declineRate: 0 },
      operators: [],
      notifications: {},
      trustProxy: 0,
      limits: {
        purchases: { count: 500, windowS: 10 },
        purchasesPerEmail: { count: 100, windowS: 10 },
        lookUps: { count: 1_000, windowS: 10 },
        reads: { count: 2_000, windowS: 10 },
        sockets: { count: 1_000, windowS: 10 },
        socketsPerClient: 1_000,
        connectionsPerClient: 2_000,
      },
      currency: 'USD',
      logLevel: 'info',
    });
  });

  it('treats an empty or blank value as unset', () => {
    expect(readConfig({ PORT: '', HOST: ' ', SECRET: '' })).toMatchObject({ port: 8888 });
  });

  it('reads every setting', () => {
    const secret = 's'.repeat(32);
    const read = readConfig({
      PORT: '0',
      HOST: '::1',
      DATABASE_URL: mongodb,
      REDIS_URL: 'redis://:pw@r:6379/1',
      REDLOCK_URLS: 'redis://a:6379, rediss://b:6379,redis://c:6379',
      ENGINE: 'queue',
      INSTANCE_ID: 'one',
      LEASE_TTL_MS: '800',
      WAITERS_PER_UNIT: '0',
      WAITERS_MAX: '10',
      ORDERS_PER_EMAIL: '2',
      RETENTION_DAYS: '90',
      SUPPLIERS_URL: 'http://127.0.0.1:8890/api/suppliers/',
      SUPPLIERS_TOKEN: 'tttttttt',
      PUBLIC_SUPPLIERS: 'on',
      SUPPLIER_TIMEOUT_MS: '100',
      SUPPLIER_LATENCY_MS: '5',
      FLIGHT_FAILURE_RATE: '1',
      HOTEL_FAILURE_RATE: '.25',
      PAYMENTS: 'off',
      PAYMENTS_TOKEN: 'pppppppp',
      PAYMENTS_WEBHOOK_SECRET: webhookSecret,
      PAYMENT_WINDOW: '1m',
      PAYMENT_PAY_RATE: '0.5',
      PAYMENT_DECLINE_RATE: '0.5',
      SECRET: secret,
      ADMIN_TOKEN: 'aaaaaaaa',
      ADMIN_TOKENS: ` anna:${'t'.repeat(20)}, ben:${'u'.repeat(20)}:read`,
      TRUST_PROXY: 'on',
      RATE_LIMIT_PURCHASES: '1/s',
      RATE_LIMIT_EMAIL: '20/2m',
      RATE_LIMIT_LOOKUPS: '3000/1h',
      RATE_LIMIT_READS: '5/24h',
      RATE_LIMIT_SOCKETS: '7/30s',
      SOCKETS_PER_CLIENT: '0',
      CONNECTIONS_PER_CLIENT: '10',
      CURRENCY: 'eur',
      LOG_LEVEL: 'silent',
      PUBLIC_ORIGIN: 'https://Tickets.example:443/',
    });
    expect(read).toEqual({
      port: 0,
      host: '::1',
      database: { kind: 'mongodb', url: mongodb },
      redisUrl: 'redis://:pw@r:6379/1',
      redlockUrls: ['redis://a:6379', 'rediss://b:6379', 'redis://c:6379'],
      engine: 'queue',
      instanceId: 'one',
      leaseTtlMs: 800,
      waitersPerUnit: 0,
      waitersMax: 10,
      ordersPerEmail: 2,
      retentionDays: 90,
      suppliers: {
        url: 'http://127.0.0.1:8890/api/suppliers',
        token: 'tttttttt',
        arePublic: true,
        timeoutMs: 100,
        latencyMs: 5,
        flightFailureRate: 1,
        hotelFailureRate: 0.25,
      },
      payments: { token: 'pppppppp', webhookSecret, windowMs: 60_000, payRate: 0.5, declineRate: 0.5 },
      secret,
      adminToken: 'aaaaaaaa',
      operators: [
        { name: 'admin', token: 'aaaaaaaa', mayChange: true },
        { name: 'anna', token: 't'.repeat(20), mayChange: true },
        { name: 'ben', token: 'u'.repeat(20), mayChange: false },
      ],
      notifications: {},
      trustProxy: 1,
      limits: {
        purchases: { count: 1, windowS: 1 },
        purchasesPerEmail: { count: 20, windowS: 120 },
        lookUps: { count: 3_000, windowS: 3_600 },
        reads: { count: 5, windowS: 86_400 },
        sockets: { count: 7, windowS: 30 },
        socketsPerClient: 0,
        connectionsPerClient: 10,
      },
      currency: 'EUR',
      logLevel: 'silent',
      publicOrigin: 'https://tickets.example',
    });
  });

  it.each([
    ['PORT', '99999', 'a whole number from 0 to 65535'],
    ['PORT', '80a', 'a whole number from 0 to 65535'],
    ['PORT', '1e3', 'a whole number from 0 to 65535'],
    ['HOST', 'a b', 'an IP address or a host name'],
    ['DATABASE_URL', 'postgres://h/x', 'sqlite:<file>'],
    ['DATABASE_URL', 'sqlite:', 'sqlite:<file>'],
    ['DATABASE_URL', 'sqlite::memory:', 'sqlite:<file>'],
    ['DATABASE_URL', 'mongodb://', 'mongodb://<host>/<database>'],
    ['REDIS_URL', 'localhost:6379', 'redis://[user:password@]host'],
    ['REDLOCK_URLS', 'redis://a, b', 'Redis URLs with commas between'],
    ['ENGINE', 'actr', 'one of actor, lock, queue'],
    ['INSTANCE_ID', 'a/b', '1 to 64 letters'],
    ['LEASE_TTL_MS', '10', 'a whole number from 500 to 600000'],
    ['WAITERS_PER_UNIT', '-1', 'a whole number from 0'],
    ['ORDERS_PER_EMAIL', '1.5', 'a whole number from 0'],
    ['SUPPLIERS_URL', 'ftp://x', 'a URL such as http://'],
    ['SUPPLIER_TIMEOUT_MS', '0', 'a whole number from 1'],
    ['SUPPLIER_LATENCY_MS', 'x', 'a whole number from 0'],
    ['FLIGHT_FAILURE_RATE', '1.1', 'a number from 0 to 1'],
    ['HOTEL_FAILURE_RATE', 'NaN', 'a number from 0 to 1'],
    ['TRUST_PROXY', 'maybe', 'off, on, a number of proxies'],
    ['TRUST_PROXY', '17', 'off, on, a number of proxies'],
    ['TRUST_PROXY', '10.0.0.0/8,proxy.example', 'off, on, a number of proxies'],
    ['TRUST_PROXY', '10.0.0.0/33', 'off, on, a number of proxies'],
    ['TRUST_PROXY', '::ffff:10.0.0.0/8', 'off, on, a number of proxies'],
    ['RATE_LIMIT_PURCHASES', '500', 'a count per duration'],
    ['RATE_LIMIT_EMAIL', '0/10s', 'a count per duration'],
    ['RATE_LIMIT_LOOKUPS', '5/10', 'a count per duration'],
    ['RATE_LIMIT_SOCKETS', '5/0s', 'a count per duration'],
    ['RATE_LIMIT_READS', '5/25h', '24h at most'],
    ['RATE_LIMIT_READS', '5/1441m', '24h at most'],
    ['SOCKETS_PER_CLIENT', 'all', 'a whole number from 0'],
    ['CONNECTIONS_PER_CLIENT', '-1', 'a whole number from 0'],
    ['RATE_LIMIT', 'none', 'on or off'],
    ['PUBLIC_SUPPLIERS', 'none', 'on or off'],
    ['CURRENCY', 'dollars', 'an ISO 4217 code'],
    ['LOG_LEVEL', 'verbose', 'one of fatal, error, warn, info, debug, trace, silent'],
    ['PUBLIC_ORIGIN', 'https://a.example/path', 'scheme, host and maybe port'],
  ])('refuses %s=%s in one line with the allowed values', (name, value, allowed) => {
    const message = refusal({ [name]: value });
    expect(message.startsWith(`${name}=`)).toBe(true);
    expect(message).toContain(value);
    expect(message).toContain(allowed);
    expect(message).not.toContain('\n');
  });

  it.each([
    ['SECRET', 'hunter 2'],
    ['ADMIN_TOKEN', 'two words'],
    ['ADMIN_TOKENS', 'a-token-without-a-name'],
    ['SUPPLIERS_TOKEN', 'with blank'],
  ])('never shows the value of %s', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name}=\\(hidden\\) is not allowed: .+`));
    expect(message).not.toContain(value);
  });

  it('hides passwords in URLs, and shows a value with line breaks in one line', () => {
    expect(refusal({ DATABASE_URL: 'postgres://me:p@ss/w0rd@host/db' })).not.toMatch(/p@ss|w0rd/);
    expect(refusal({ REDIS_URL: 'redis://:pw@h' })).toContain('redis://:(hidden)@h');
    expect(refusal({ PORT: '80\n90' })).not.toContain('\n');
  });

  it.each([
    [{ REDIS_URL: 'redis://h' }, /^REDIS_URL=redis:\/\/h is not allowed: SQLite serves one process/],
    [{ ENGINE: 'lock' }, /^ENGINE=lock is not allowed: with SQLite/],
    [{ ENGINE: 'queue' }, /^ENGINE=queue is not allowed: with SQLite/],
    [{ DATABASE_URL: mongodb, ENGINE: 'lock' }, /^ENGINE=lock is not allowed: lock and queue need REDIS_URL/],
    [{ DATABASE_URL: mongodb, REDLOCK_URLS: 'redis://a' }, /^REDLOCK_URLS=.* it needs REDIS_URL/],
  ])('refuses settings that contradict each other: %j', (environment, message) => {
    expect(refusal(environment as Record<string, string>)).toMatch(message);
  });

  it('lists all wrong settings, one per line', () => {
    const environment = {
      PORT: 'x',
      SECRET: 'a b',
      REDIS_URL: 'redis://h',
      REDLOCK_URLS: 'no',
      ENGINE: 'lock',
    };
    expect(refusal(environment).split('\n')).toEqual([
      '5 settings are wrong:',
      'PORT=x is not allowed: a whole number from 0 to 65535.',
      expect.stringMatching(/^REDLOCK_URLS=no is not allowed: an odd number/),
      expect.stringMatching(/^SECRET=\(hidden\) is not allowed: /),
      expect.stringMatching(/^REDIS_URL=redis:\/\/h is not allowed: SQLite/),
      expect.stringMatching(/^ENGINE=lock is not allowed: with SQLite/),
    ]);
  });

  it('does not report a setting as a contradiction that is already reported as wrong', () => {
    expect(refusal({ DATABASE_URL: 'mysql://h', ENGINE: 'lock' })).toMatch(/^DATABASE_URL=.*$/);
    expect(refusal({ DATABASE_URL: mongodb, REDIS_URL: 'h', ENGINE: 'lock' })).toMatch(/^REDIS_URL=.*$/);
    expect(refusal({ ENGINE: 'actr' })).toMatch(/^ENGINE=actr is not allowed: one of .*$/);
  });

  it.each([...settingNames])('treats an empty %s as unset', (name) => {
    const { instanceId, ...settings } = readConfig({});
    expect(readConfig({ [name]: '' })).toEqual({ ...settings, instanceId });
    expect(readConfig({ [name]: ' ' })).toEqual({ ...settings, instanceId });
  });

  it('lets the public reserve at the simulated suppliers, unless others are used or it is switched off', () => {
    const url = 'http://127.0.0.1:8890/api/suppliers';
    expect(readConfig({}).suppliers.arePublic).toBe(true);
    expect(readConfig({ SUPPLIERS_URL: url }).suppliers.arePublic).toBe(false);
    expect(readConfig({ PUBLIC_SUPPLIERS: 'off' }).suppliers.arePublic).toBe(false);
    expect(readConfig({ SUPPLIERS_URL: url, PUBLIC_SUPPLIERS: 'on' }).suppliers.arePublic).toBe(true);
  });

  it('has no limits with RATE_LIMIT=off', () => {
    expect(readConfig({ RATE_LIMIT: 'off' })).not.toHaveProperty('limits');
  });

  it.each([
    ['off', 0],
    ['0', 0],
    ['on', 1],
    ['1', 1],
    ['3', 3],
    ['10.0.0.7', ['10.0.0.7']],
    ['10.0.0.0/8, fd00::/8,::1', ['10.0.0.0/8', 'fd00::/8', '::1']],
  ])('reads the trusted proxies from TRUST_PROXY=%s', (text, trusted) => {
    expect(readConfig({ TRUST_PROXY: text }).trustProxy).toEqual(trusted);
  });

  it('keeps file names of SQLite unchanged', () => {
    const file = (text: string) => readConfig({ DATABASE_URL: text }).database;
    expect(file('sqlite:/var/lib/booking.db')).toEqual({ kind: 'sqlite', file: '/var/lib/booking.db' });
    expect(file('sqlite:///var/lib/booking.db')).toEqual({ kind: 'sqlite', file: '/var/lib/booking.db' });
    expect(file('sqlite:data/with space.db')).toEqual({ kind: 'sqlite', file: 'data/with space.db' });
  });

  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, {}],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, {}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, { protocol: 'grpc' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'True' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'yes' }, {}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_EXPORTER: 'none' }, undefined],
    [{ OTEL_SERVICE_NAME: 'alone' }, undefined],
  ])('enables tracing only if the standard variables name a collector: %j', (environment, tracing) => {
    expect(readConfig(environment as Record<string, string>).tracing).toEqual(tracing);
  });

  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, { intervalMs: 60_000 }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, undefined],
    [
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c/v1/metrics', OTEL_METRIC_EXPORT_INTERVAL: '500' },
      { intervalMs: 500 },
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_METRICS_EXPORTER: 'none' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' }, undefined],
  ])('sends metrics only if the standard variables name a collector: %j', (environment, metricsPush) => {
    expect(readConfig(environment as Record<string, string>).metricsPush).toEqual(metricsPush);
  });
});

describe('payments', () => {
  const cluster = { DATABASE_URL: mongodb, REDIS_URL: 'redis://r:6379' };
  const provider = 'https://pay.example/api/';

  it('are off, simulated, or at a provider', () => {
    expect(readConfig({}).payments.provider).toBeUndefined();
    expect(readConfig({ PAYMENTS: 'simulated' }).payments.provider).toBe('simulated');
    const read = readConfig({ PAYMENTS: provider });
    expect(read.payments.provider).toBe('https://pay.example/api');
    expect(refusal({ PAYMENTS: 'on' })).toContain('off, simulated, or a URL');
  });

  it.each([
    ['90s', 90_000],
    ['2h', 7_200_000],
    ['1500ms', 1_500],
    ['1500', 1_500],
    ['010s', 10_000],
  ])('are due for %s', (PAYMENT_WINDOW, windowMs) => {
    expect(readConfig({ PAYMENT_WINDOW }).payments.windowMs).toBe(windowMs);
  });

  it.each(['999ms', '169h', '5 m', '5d', '1.5m', 'm'])('are not due for %s', (PAYMENT_WINDOW) => {
    expect(refusal({ PAYMENT_WINDOW })).toContain('a time from 1s to 168h, for example 90s or 5m');
  });

  it.each(['lock', 'queue'])('are refused with the engine %s', (ENGINE) => {
    expect(refusal({ ...cluster, ENGINE, PAYMENTS: 'simulated' })).toContain('it needs ENGINE=actor');
    expect(readConfig({ ...cluster, ENGINE, PAYMENTS: 'off' }).engine).toBe(ENGINE);
  });

  it('that are simulated are paid or declined by themselves at most once each', () => {
    expect(refusal({ PAYMENT_PAY_RATE: '0.7', PAYMENT_DECLINE_RATE: '0.4' })).toContain('at most 1');
  });

  it.each(['secret', 'whsec_', `whsec_${Buffer.alloc(23).toString('base64')}`, `${webhookSecret}?`])(
    'do not take %s for the secret of a webhook, and do not show it',
    (PAYMENTS_WEBHOOK_SECRET) => {
      const message = refusal({ PAYMENTS_WEBHOOK_SECRET });
      expect(message).toContain('24 to 64 bytes in base64');
      expect(message).not.toContain(`"${PAYMENTS_WEBHOOK_SECRET}"`);
    },
  );
});
