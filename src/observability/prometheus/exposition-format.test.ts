import { describe, expect, test } from 'vitest';
import { type ExposedSample, readExposition } from '../../../test/support/exposition.ts';
import { fakeOrder, fakePackages, fakeSnapshot } from '../../../test/support/fake-engine.ts';
import { errorCatalogue } from '../../domain/errors.ts';
import { noticeOutcomes } from '../metrics.ts';
import { createMetrics, type MetricsSource, packageFigures } from './exposition.ts';

const build = { version: '1.2.3', node: '24.0.0', engine: 'actor', store: 'sqlite' };
const manyPackages = Array.from({ length: 10_000 }, (_, index) => {
  const { package: travelPackage, inventory } = fakeSnapshot({ id: index + 1, quota: 10 });
  return { package: travelPackage, inventory: { ...inventory, waiting: index % 7 } };
});

/** Reports everything that an instance can report. */
function reportAll(metrics: MetricsSource): void {
  for (const code of Object.keys(errorCatalogue)) metrics.purchase(code as keyof typeof errorCatalogue);
  metrics.purchase('confirmed');
  metrics.purchase('accepted');
  for (const route of ['/', '/api/orders/:id', 'other', '/"quoted"\\\n']) {
    for (const status of [200, 404, 503]) metrics.request(route, 'GET', status, 0.0123);
  }
  metrics.batch(12);
  for (const end of ['applied', 'fenced', 'unknown', 'unavailable', 'refused'] as const)
    metrics.commit()(end);
  const { inventory } = fakeSnapshot();
  const updated = (['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'] as const).map((status) =>
    fakeOrder({ status }),
  );
  metrics.committed({ inventory, inserted: [], updated });
  metrics.staleWrite();
  metrics.staleRefusal();
  metrics.takeover(true);
  for (const end of ['booked', 'refused', 'owing', 'cleared', 'stopped', 'failed'] as const) {
    metrics.saga('book')(end);
    metrics.saga('clear')(end);
  }
  for (const end of ['reserved', 'refused', 'cancelled', 'unknown'] as const) {
    metrics.supplierCall('flights')(end);
    metrics.supplierCall('hotels')(end);
  }
  for (const end of ['answered', 'no_answer', 'inbox_full', 'unavailable'] as const) metrics.message(end);
  for (const end of noticeOutcomes) metrics.notice('mail', end);
  for (const name of ['active_actors', 'mailbox_messages', 'mailbox_messages_max', 'inbox_messages'] as const)
    metrics.gauge(name, () => 3);
  metrics.gauge('sockets', async () => 4);
}

async function exposed(packages = manyPackages) {
  const metrics = createMetrics();
  reportAll(metrics);
  const engine = fakePackages(packages);
  return metrics.expose({
    packages: () => packageFigures(engine),
    readinessProblems: async () => [],
    failing: () => [{ supplier: 'flights' }],
    build,
  });
}

describe('the exposition', () => {
  test('follows the text format, has every metric, and does not grow beyond 100 packages', async () => {
    const { contentType, text } = await exposed();
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = readExposition(text);
    const ours = [...families.values()].filter(({ name }) => name.startsWith('ticket_booking_'));
    for (const { name, samples } of ours) expect([name, samples.length > 0]).toEqual([name, true]);
    // At most a hundred packages have series of their own: five series each.
    const series = (name: string) => families.get(`ticket_booking_${name}`)?.samples ?? [];
    expect(series('package_waiting_orders')).toHaveLength(100);
    expect(series('package_units')).toHaveLength(400);
    expect(series('package_waiting_orders').every(({ value }) => value === 6)).toBe(true);
    expect(total(series('waiting_orders'))).toBe(
      manyPackages.reduce((sum, one) => sum + one.inventory.waiting, 0),
    );
    const few = readExposition((await exposed(manyPackages.slice(0, 100))).text);
    expect(countOf(families)).toBe(countOf(few));
    expect(countOf(families)).toBeLessThan(2_000);
  });

  test('has names that pass the rules of the Prometheus linter', async () => {
    const ours = [...readExposition((await exposed()).text).values()].filter(({ name }) =>
      name.startsWith('ticket_booking_'),
    );
    expect(ours.length).toBeGreaterThan(25);
    for (const { name, type, samples } of ours) {
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      // Names contain unabbreviated base units, no metric types, and no suffix that a histogram adds.
      expect(name).not.toMatch(/_(ms|millis\w*|minutes?|hours?|kb|mb|kilobytes|percent)(_|$)/);
      expect(name).not.toMatch(/_(gauge|counter|histogram|summary|untyped|bucket|count|sum)(_|$)/);
      expect(name).toMatch(/^[a-z_]+$/);
      for (const label of samples.flatMap(({ labels }) => Object.keys(labels))) {
        expect([name, label]).toEqual([name, expect.stringMatching(/^[a-z]+(_[a-z]+)*$/)]);
        if (label === 'le') expect(type).toBe('histogram');
      }
    }
  });
});

describe('the parser of these tests refuses', () => {
  const head = '# HELP a_total What it is.\n# TYPE a_total counter\n';
  const histogram = (lines: string) => `# HELP h What it is.\n# TYPE h histogram\n${lines}`;

  test.each<[what: string, text: string]>([
    ['a text without a line feed at its end', `${head}a_total 1`],
    ['a sample without a declared metric', 'b 1\n'],
    ['a type without help', '# TYPE b gauge\nb 1\n'],
    ['a series twice', `${head}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n`],
    ['a label twice', `${head}a_total{x="1",x="2"} 1\n`],
    ['a quote that is not escaped', `${head}a_total{x="1"2"} 1\n`],
    ['an escape that does not exist', `${head}a_total{x="\\t"} 1\n`],
    ['a value that is not a number', `${head}a_total one\n`],
    ['a counter below zero', `${head}a_total -1\n`],
    ['metrics whose samples are mixed', `${head}# HELP b B.\n# TYPE b gauge\na_total 1\n`],
    ['a histogram without +Inf', histogram('h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n')],
    [
      'a histogram whose buckets decrease',
      histogram('h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'),
    ],
    [
      'a histogram whose count differs from its last bucket',
      histogram('h_bucket{le="+Inf"} 2\nh_sum 1\nh_count 1\n'),
    ],
    ['a histogram without a sum', histogram('h_bucket{le="+Inf"} 2\nh_count 2\n')],
  ])('%s', (_what, text) => {
    expect(() => readExposition(text)).toThrow();
    expect(readExposition(`${head}a_total{x="\\"\\\\\\n"} 1e3\n`).get('a_total')?.samples).toEqual([
      { name: 'a_total', labels: { x: '\\"\\\\\\n' }, value: 1000 },
    ]);
  });
});

function total(samples: readonly ExposedSample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0);
}

function countOf(families: ReturnType<typeof readExposition>): number {
  return [...families.values()]
    .filter(({ name }) => name.startsWith('ticket_booking_'))
    .reduce((sum, { samples }) => sum + samples.length, 0);
}
