import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig, settingNames, settingWarnings } from '../../src/config/config.ts';
import { samplesOf } from '../support/exposition.ts';
import { fakeApp } from '../support/fake-app.ts';
import { startServer } from '../support/server.ts';
import { type ChartTools, findChartTools, kubernetesVersions } from './tools.ts';

/* The Helm chart as a real Helm renders it, against the schemas of Kubernetes and of the custom resources. No cluster is needed. */

const root = join(import.meta.dirname, '../..');
const chart = join(root, 'deploy/helm/ticket-booking');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
/** The sets of values in the folder `ci` of the chart. */
const sets = ['minimal', 'everything', 'queue'] as const;
type Set = (typeof sets)[number];

/** The parts of an object that these tests read. */
interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Labels;
    readonly annotations?: Labels;
  };
  readonly data?: Labels;
  readonly spec: Spec;
}
type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}
interface Spec {
  readonly replicas?: number;
  readonly template?: {
    readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
    readonly spec: Pod;
  };
  readonly selector?: Selector | Labels;
  readonly podSelector?: Selector;
  readonly ports?: readonly { readonly name: string; readonly targetPort: string }[];
  readonly metrics?: readonly { readonly pods?: { readonly metric: { readonly name: string } } }[];
  readonly rules?: readonly {
    readonly http: { readonly paths: readonly { readonly backend: { readonly service: Backend } }[] };
  }[];
  readonly endpoints?: readonly { readonly path: string; readonly port: string }[];
  readonly ingress?: readonly object[];
  readonly egress?: readonly { readonly ports?: readonly { readonly port: number }[] }[];
}
interface Backend {
  readonly name: string;
  readonly port: { readonly name: string };
}
interface Pod {
  readonly containers: readonly Container[];
  readonly volumes?: readonly object[];
  readonly securityContext: object;
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly env: readonly Variable[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}
interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
  };
}

let tools: ChartTools;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-helm-'));
  tools = await findChartTools();
  // Helm and kubeconform may have to be built first.
}, 1_800_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const valuesOf = (set: Set) => ['--values', join(chart, 'ci', `${set}-values.yaml`)];

function template(set: Set, ...parameters: string[]): Promise<string> {
  const release = ['ticket-booking', chart, '--namespace', 'tickets', '--kube-version', '1.34.0'];
  return tools.helm('template', ...release, ...valuesOf(set), ...parameters);
}

/** YAML 1.1, as Kubernetes reads it: an `on` without quotes is no text. */
function objectsIn(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null);
}

async function render(set: Set, ...parameters: string[]): Promise<Manifest[]> {
  return objectsIn(await template(set, ...parameters));
}

function named(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

const podsOf = (objects: readonly Manifest[]) =>
  objects.flatMap(({ kind, spec }) => (kind === 'Deployment' && spec.template ? [spec.template] : []));
const isPartOf = (labels: Labels, all: Labels) =>
  Object.entries(labels).every(([name, value]) => all[name] === value);
/** The labels that a selector asks for. That of a Service is a plain map. */
function labelsOf({ selector = {}, podSelector }: Spec): Labels {
  const { matchLabels } = (podSelector ?? selector) as Partial<Selector>;
  return matchLabels ?? (selector as Labels);
}

/** Whether the ServiceMonitor's selector, whose expressions all are `In`, selects something with these labels. */
function isScraped({ selector }: Spec, all: Labels): boolean {
  const { matchLabels, matchExpressions = [] } = selector as Selector;
  return (
    isPartOf(matchLabels, all) && matchExpressions.every(({ key, values }) => values.includes(all[key] ?? ''))
  );
}

/** Values of the secret settings, as an operator would set them. */
const secretValues: Readonly<Record<string, string>> = {
  DATABASE_URL: 'mongodb://mongo.data:27017/tickets?replicaSet=rs0',
  REDIS_URL: 'redis://redis.data:6379',
  REDLOCK_URLS: 'redis://redis.data:6379',
  SECRET: 's'.repeat(32),
  ADMIN_TOKEN: 'a'.repeat(32),
  ADMIN_TOKENS: `anna:${'n'.repeat(32)}:read`,
  SUPPLIERS_TOKEN: 'the-token-of-the-suppliers',
  PAYMENTS_TOKEN: 'the-token-of-the-payments',
  PAYMENTS_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'p').toString('base64')}`,
  SMTP_URL: 'smtp://mail.data:587',
  WEBHOOK_URL: 'https://hotel.example/events',
  WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'w').toString('base64')}`,
};
/** The lock and queue engines tell nobody. */
const forActorOnly = ['SMTP_URL', 'WEBHOOK_URL'];

/** The environment of a container in a cluster whose Secrets have all settings. */
function environmentOf(objects: readonly Manifest[], { env }: Container): Record<string, string> {
  const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
  const own = env.map(({ name, value, valueFrom }) => {
    if (value !== undefined) return [name, value] as const;
    if (valueFrom?.secretKeyRef === undefined) return [name, 'ticket-booking-5d8f9c7b4-x2x7q'] as const;
    const isLeftOut = settings.ENGINE === 'queue' && forActorOnly.includes(name);
    return [name, isLeftOut ? '' : (secretValues[name] ?? '')] as const;
  });
  return { ...settings, ...Object.fromEntries(own) };
}

describe('the Helm chart', () => {
  it.each(sets)('passes helm lint --strict with the %s values', async (set) => {
    expect(await tools.helm('lint', '--strict', chart, ...valuesOf(set))).toContain('0 chart(s) failed');
  });

  it.each(sets.flatMap((set) => kubernetesVersions.map((version) => [set, version] as const)))(
    'renders the %s values to valid objects of Kubernetes %s',
    async (set, version) => {
      const text = await template(set);
      const file = join(folder, `${set}-${version}.yaml`);
      await writeFile(file, text);
      const valid = objectsIn(text).length;
      expect(valid).toBeGreaterThanOrEqual(5);
      expect(await tools.conform(file, version)).toEqual({ valid, invalid: 0, errors: 0, skipped: 0 });
    },
  );

  it.each([
    ['type', 'replicas: 3\n', 'replicas: three\n'],
    ['field', 'minReadySeconds: 10\n', 'minReadySecond: 10\n'],
  ])('is compared with schemas that find a wrong %s', async (what, right, wrong) => {
    const text = await template('minimal');
    expect(text).toContain(right);
    const file = join(folder, `wrong-${what}.yaml`);
    await writeFile(file, text.replace(right, wrong));
    await expect(tools.conform(file, kubernetesVersions[1])).rejects.toThrow(/"invalid": 1/);
  });

  it('has all of its kinds', async () => {
    const kinds = (await render('everything')).map(({ kind }) => kind).toSorted();
    expect(kinds).toEqual([
      ...['ConfigMap', 'Deployment', 'ExternalSecret', 'HorizontalPodAutoscaler', 'Ingress', 'Ingress'],
      ...['NetworkPolicy', 'PodDisruptionBudget', 'Service', 'Service', 'ServiceMonitor'],
    ]);
  });

  it.each([
    ['image.repository=', /image\.repository is missing/],
    ['secrets.existingSecret=', /- DATABASE_URL is missing.*MongoDB and Redis.*\n- REDIS_URL is missing/],
    [
      'secrets.existingSecret=,secrets.from.DATABASE_URL.name=mongo,secrets.from.DATABASE_URL.key=url',
      /:\n- REDIS_URL is missing/,
    ],
    ['secrets.externalSecret.enabled=true', /existingSecret and secrets\.externalSecret\.enabled exclude/],
    ['secrets.existingSecret=,secrets.externalSecret.enabled=true', /needs store\.name and key/],
    ['ingress.enabled=true,settings.TRUST_PROXY=off', /ingress\.host is missing/],
    ['ingress.enabled=true,ingress.host=tickets.example', /TRUST_PROXY is missing: behind an Ingress/],
    ['terminationGracePeriodSeconds=19', /terminationGracePeriodSeconds is too short/],
    ['autoscaling.enabled=true,autoscaling.minReplicas=11', /minReplicas is more than/],
    [
      'autoscaling.enabled=true,autoscaling.mailboxMessages=0,autoscaling.cpuUtilization=0',
      /autoscaling has no metric/,
    ],
    [
      'autoscaling.enabled=true,settings.ENGINE=lock,autoscaling.cpuUtilization=0',
      /autoscaling has no metric/,
    ],
  ])('does not render with --set %s, and says why', async (values, message) => {
    await expect(render('minimal', '--set', values)).rejects.toThrow(message);
  });

  it.each([
    ['--set', 'replica=3', /replica/],
    ['--set', 'replicas=0', /replicas/],
    ['--set-string', 'replicas=3', /replicas/],
    ['--set', 'settings.WAITERS=3', /settings.*WAITERS/],
    ['--set', 'settings.WAITERS_MAX=3', /WAITERS_MAX.*string/],
    ['--set-string', 'settings.WAITERS_MAX=many', /WAITERS_MAX.*many/],
    ['--set', 'settings.ENGINE=kafka', /ENGINE.*'actor', 'lock', 'queue'/],
    ['--set', 'settings.RATE_LIMIT_READS=lots', /RATE_LIMIT_READS.*lots/],
    ['--set', 'settings.SECRET=secret', /settings.*SECRET/],
    ['--set', 'settings.DATABASE_URL=mongodb://mongo', /settings.*DATABASE_URL/],
    ['--set', 'secrets.from.DATABASE.name=a', /from.*DATABASE/],
    ['--set', 'secrets.from.DATABASE_URL.name=a', /DATABASE_URL.*key/],
    ['--set', 'secrets.externalSecret.store.kind=Vault', /kind.*'ClusterSecretStore', 'SecretStore'/],
    ['--set', 'ingress.enabled=maybe', /enabled.*boolean/],
    ['--set', 'ingress.host=https://tickets.example', /host.*https/],
    ['--set', 'image.pullPolicy=Sometimes', /pullPolicy/],
  ])('refuses the wrong value %s %s by its schema', async (option, value, message) => {
    await expect(render('minimal', option, value)).rejects.toThrow(message);
  });

  it('asks for a release of Kubernetes that has all of this', async () => {
    await expect(render('minimal', '--kube-version', '1.29.0')).rejects.toThrow(/1\.30\.0/);
  });
});

describe('docs/kubernetes.md', () => {
  const examples = [...read('docs/kubernetes.md').matchAll(/^( *)```yaml\n(.*?)^ *```$/gms)].map(
    ([, indentation = '', text = '']) => text.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
  );

  it('has examples of values', () => {
    expect(examples.length).toBeGreaterThanOrEqual(5);
  });

  it.each(examples.map((text, index) => [index + 1, text] as const))(
    'has values that render: example %i',
    async (_, text) => {
      const file = join(folder, 'example.yaml');
      await writeFile(file, text);
      const secret = text.includes('secrets:') ? [] : ['--set', 'secrets.existingSecret=a'];
      const values = ['--values', file, '--set', 'image.repository=a', ...secret];
      const rendered = await tools.helm('template', 'a', chart, '--kube-version', '1.34.0', ...values);
      expect(objectsIn(rendered).length).toBeGreaterThanOrEqual(5);
    },
  );
});

describe('the settings of the chart', () => {
  it.each(sets)('are accepted by the program with the %s values', async (set) => {
    const objects = await render(set);
    for (const { spec } of podsOf(objects)) {
      for (const container of spec.containers) {
        const environment = environmentOf(objects, container);
        expect(() => readConfig(environment), container.name).not.toThrow();
        expect(settingWarnings(environment), container.name).toEqual([]);
      }
    }
  });

  it('reach the program, all of them', async () => {
    const objects = await render('everything');
    const [server] = podsOf(objects)[0]?.spec.containers ?? [];
    const given = Object.keys(environmentOf(objects, server as Container));
    expect(settingNames.filter((name) => !given.includes(name))).toEqual(['HOST']);
  });

  it('are in the ConfigMap if they are not secret, else in a Secret', async () => {
    const objects = await render('everything');
    const [server] = podsOf(objects)[0]?.spec.containers ?? [];
    const references = new Map(server?.env.map(({ name, valueFrom }) => [name, valueFrom?.secretKeyRef]));
    for (const name of Object.keys(secretValues)) {
      expect(named(objects, 'ConfigMap', 'tickets').data).not.toHaveProperty(name);
      const isRequired = name === 'DATABASE_URL' || name === 'REDIS_URL';
      expect(references.get(name)?.optional, name).toBe(isRequired ? undefined : true);
    }
    expect(references.get('DATABASE_URL')).toEqual({
      name: 'tickets-mongodb',
      key: 'connectionString.standard',
    });
    expect(references.get('REDIS_URL')).toEqual({ name: 'tickets', key: 'REDIS_URL' });
  });

  it('have the origin of the Ingress, unless it is set', async () => {
    const ingress = 'ingress.enabled=true,ingress.host=tickets.example,settings.TRUST_PROXY=10.0.0.0/8';
    const originWith = async (...values: string[]) => {
      const objects = await render('minimal', '--set', [ingress, ...values].join(','));
      return named(objects, 'ConfigMap', 'ticket-booking').data?.PUBLIC_ORIGIN;
    };
    expect(await originWith()).toBe('https://tickets.example');
    expect(await originWith('ingress.tls.enabled=false')).toBe('http://tickets.example');
    expect(await originWith('settings.PUBLIC_ORIGIN=https://other.example')).toBe('https://other.example');
  });

  it('replace the pods when they change', async () => {
    const checksum = async (...parameters: string[]) =>
      podsOf(await render('minimal', ...parameters))[0]?.metadata.annotations['checksum/settings'];
    expect(await checksum()).toBe(await checksum());
    expect(await checksum('--set', 'settings.LOG_LEVEL=debug')).not.toBe(await checksum());
  });
});

describe('the pods of the chart', () => {
  it.each(sets)('run as the image’s user, on a read-only root, with the %s values', async (set) => {
    const pods = podsOf(await render(set));
    expect(pods).toHaveLength(set === 'queue' ? 2 : 1);
    expect(read('Dockerfile')).toContain('USER 1000:1000');
    for (const { spec } of pods) {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toEqual({
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext } of spec.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
      expect(spec.volumes ?? []).toHaveLength(set === 'everything' ? 1 : 0);
    }
  });

  it.each([
    ['minimal', 0],
    ['queue', 0],
    ['queue', 1],
  ] as const)(
    'are probed at routes that the program has, on its port: %s values, pod %i',
    async (set, at) => {
      const [server] = podsOf(await render(set))[at]?.spec.containers ?? [];
      const served = new Set(fakeApp().routes.map(({ method, path }) => `${method} ${path}`));
      for (const probe of [server?.startupProbe, server?.livenessProbe, server?.readinessProbe]) {
        expect(served).toContain(`GET ${probe?.httpGet.path}`);
        expect(probe?.httpGet.port).toBe('http');
      }
      expect(server?.startupProbe?.httpGet.path).toBe('/readyz');
      expect(server?.readinessProbe?.httpGet.path).toBe('/healthz');
      expect(server?.livenessProbe?.httpGet.path).toBe('/healthz');
      expect(server?.ports).toEqual([{ name: 'http', containerPort: 8888 }]);
      const port = server?.env.find(({ name }) => name === 'PORT')?.value;
      expect(port ?? server?.command?.at(-1)).toBe('8888');
    },
  );

  it('have time to drain', async () => {
    const [pod] = podsOf(await render('minimal'));
    const source = read('src/compose/compose.ts');
    const ms = (pattern: RegExp) => Number(pattern.exec(source)?.[1]?.replaceAll('_', ''));
    const drainMs =
      ms(/severalInstances: ([\d_]+)/) + ms(/noticeMs = ([\d_]+)/) + 2 * ms(/lastAnswersMs = ([\d_]+)/);
    const preStop = pod?.spec.containers[0]?.lifecycle?.preStop.sleep.seconds ?? 0;
    expect(preStop).toBeGreaterThan(0);
    expect(drainMs).toBeLessThanOrEqual(15_000);
    expect(pod?.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStop + 15);
  });

  it('include the consumer only for the queue engine, with only the secrets that it needs', async () => {
    const consumerOf = (objects: readonly Manifest[]) =>
      objects.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-consumer'));
    for (const set of ['minimal', 'everything'] as const)
      expect(consumerOf(await render(set))).toHaveLength(0);
    const [consumer] = consumerOf(await render('queue'));
    const [container] = consumer?.spec.template?.spec.containers ?? [];
    const words = container?.command ?? [];
    expect(words.slice(-2)).toEqual(['--port', '8888']);
    expect(JSON.parse(read('package.json')).scripts.consumer).toContain(words.slice(0, -2).join(' '));
    expect(container?.env.map(({ name }) => name)).toEqual([
      'INSTANCE_ID',
      'DATABASE_URL',
      'REDIS_URL',
      'SUPPLIERS_TOKEN',
    ]);
  });
});

describe('the connections of the chart', () => {
  it.each(sets)('select pods that exist with the %s values', async (set) => {
    const objects = await render(set);
    const pods = podsOf(objects).map(({ metadata }) => metadata.labels);
    const selecting = ['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'];
    for (const { kind, metadata, spec } of objects.filter(({ kind }) => selecting.includes(kind))) {
      const selected = pods.filter((all) => isPartOf(labelsOf(spec), all));
      expect(selected, `${kind} ${metadata.name}`).toHaveLength(1);
      if (kind === 'Service') expect(spec.ports).toMatchObject([{ name: 'http', targetPort: 'http' }]);
    }
  });

  it('lead purchases through a Service of their own, which is balanced in another way', async () => {
    const objects = await render('everything');
    const ingresses = objects.filter(({ kind }) => kind === 'Ingress');
    const services = objects.filter(({ kind }) => kind === 'Service');
    const backends = ingresses.flatMap(({ spec }) =>
      spec.rules?.flatMap(({ http }) => http.paths.map(({ backend }) => backend.service)),
    );
    expect(backends).toEqual(
      services.map(({ metadata, spec }) => ({ name: metadata.name, port: { name: spec.ports?.[0]?.name } })),
    );
    const [whole, purchases] = ingresses.map(({ metadata }) => Object.keys(metadata.annotations ?? {}));
    expect(whole).not.toContain('haproxy-ingress.github.io/balance-algorithm');
    expect(purchases).toContain('haproxy-ingress.github.io/balance-algorithm');
  });

  it.each([
    ['everything', ['tickets']],
    ['queue', ['ticket-booking-consumer', 'ticket-booking']],
  ] as const)(
    'let Prometheus scrape each pod once, under the job of the alert rules: %s',
    async (set, names) => {
      const objects = await render(set);
      const { spec } = named(objects, 'ServiceMonitor', names.at(-1) as string);
      const scraped = objects.filter(
        ({ kind, metadata }) => kind === 'Service' && isScraped(spec, metadata.labels),
      );
      expect(scraped.map(({ metadata }) => metadata.name).toSorted()).toEqual([...names].toSorted());
      expect(scraped[0]?.metadata.labels['app.kubernetes.io/name']).toBe('ticket-booking');
      expect(read('src/observability/dashboards/alerts.yml')).toContain('job="ticket-booking"');
      expect(spec.endpoints).toMatchObject([{ path: '/metrics', port: 'http' }]);
    },
  );

  it('let everybody reach only the port of the server and of the consumer', async () => {
    const objects = await render('queue');
    for (const name of ['ticket-booking', 'ticket-booking-consumer']) {
      const { ingress } = named(objects, 'NetworkPolicy', name).spec;
      expect(ingress).toEqual([{ ports: [{ protocol: 'TCP', port: 'http' }] }]);
    }
  });

  it('let the pods reach everything by default', async () => {
    for (const set of ['minimal', 'queue'] as const) {
      const policies = (await render(set)).filter(({ kind }) => kind === 'NetworkPolicy');
      expect(policies.map(({ spec }) => spec.egress)).toEqual(policies.map(() => [{}]));
    }
  });

  it('let the pods reach names and the servers of all settings if they may not reach everything', async () => {
    const objects = await render('everything');
    const egress = named(objects, 'NetworkPolicy', 'tickets').spec.egress ?? [];
    expect(egress[0]).toEqual({
      ports: [
        { protocol: 'UDP', port: 53 },
        { protocol: 'TCP', port: 53 },
      ],
    });
    const settings = environmentOf(objects, podsOf(objects)[0]?.spec.containers[0] as Container);
    const allowed = egress.flatMap(({ ports = [] }) => ports.map(({ port }) => port));
    const { PUBLIC_ORIGIN: _, ...outside } = settings;
    const urls = Object.values(outside).flatMap((value) => value.match(/^[a-z]+:\/\/\S+$/) ?? []);
    expect(urls.length).toBeGreaterThanOrEqual(9);
    for (const url of urls) {
      const { protocol, port } = new URL(url);
      expect(allowed, url).toContain(Number(port || { 'https:': 443 }[protocol]));
    }
  });
});

describe('scaling', () => {
  interface Rule {
    readonly seriesQuery: string;
    readonly name: { readonly as: string };
    readonly metricsQuery: string;
  }

  it('follows a metric that the program has, and that the rule of prometheus-adapter passes on', async () => {
    const { metrics = [] } = named(await render('everything'), 'HorizontalPodAutoscaler', 'tickets').spec;
    const followed = metrics.flatMap(({ pods }) => pods?.metric.name ?? []);
    expect(followed).toHaveLength(1);
    const server = await startServer();
    try {
      const text = await (await fetch(`${server.origin}/metrics`)).text();
      expect(samplesOf(text).get(followed[0] ?? ''), followed[0]).toBe(0);
    } finally {
      await server.stop();
    }
    const { rules } = parse(read('deploy/helm/prometheus-adapter.yaml')) as {
      readonly rules: { readonly custom: readonly Rule[] };
    };
    expect(rules.custom.map(({ name }) => name.as)).toEqual(followed);
    for (const { seriesQuery, metricsQuery } of rules.custom) {
      expect(seriesQuery.split('{')[0]).toBe(followed[0]);
      for (const part of ['Series', 'LabelMatchers', 'GroupBy'])
        expect(metricsQuery).toContain(`<<.${part}>>`);
    }
  });

  it('leaves the number of replicas to the autoscaler, and out of the mailboxes of other engines', async () => {
    const objects = await render('queue');
    expect(named(objects, 'Deployment', 'ticket-booking').spec.replicas).toBeUndefined();
    expect(named(objects, 'HorizontalPodAutoscaler', 'ticket-booking').spec.metrics).toMatchObject([
      { type: 'Resource' },
    ]);
  });
});
