import { positive, runCommand, text, UsageError, whole } from '../../src/lib/command-line.ts';
import { countOf, isError } from '../client/outcomes.ts';
import { buy, follow } from './buyers.ts';
import { openViewers } from './viewers.ts';

const command = {
  name: 'npm run bench:autocannon',
  about:
    'Buys a package with autocannon, each purchase with its Idempotency-Key, and follows each order to its outcome.\n' +
    'Exits 0 within the limits, 1 beyond one, 2 if it could not run. Spends the quota of the package.',
  options: {
    targets: text('urls', 'Instances of one deployment, with commas between.', 'http://127.0.0.1:8888'),
    package: whole('id', 'The package to buy.', { min: 1 }),
    purchases: whole('count', 'How many purchases, rounded up to a multiple of the connections.', {
      min: 1,
      max: 1_000_000,
      default: 1_000,
    }),
    connections: whole('count', 'Connections to all instances together.', {
      min: 1,
      max: 10_000,
      default: 30,
    }),
    viewers: whole('count', 'Sockets that watch the package meanwhile.', { max: 10_000, default: 30 }),
    p99: positive('ms', 'The limit of the 99th percentile of all answers.', { max: 60_000, default: 1_000 }),
    errors: whole(
      'count',
      'The limit of answers that are no outcome of a sale, and of failed requests and sockets.',
      {
        default: 0,
      },
    ),
    timeout: positive('s', 'How long outcomes may take after the last purchase.', { max: 600, default: 30 }),
  },
};

await runCommand(command, async ({ targets, package: packageId, ...options }) => {
  if (packageId === undefined) throw new UsageError('--package must be given.');
  const { purchases, connections, viewers, p99, errors, timeout } = options;
  const origins = targets.split(',').map((url) => new URL(url).origin);
  if (connections < origins.length || connections > purchases)
    throw new UsageError('--connections must be one for each target or more, and not more than --purchases.');

  const watching = await openViewers(origins, packageId, viewers);
  const answers = await buy({ origins, packageId, purchases, connections });
  const open = await follow(answers.orders, origins[0] as string, timeout * 1_000);
  const views = await watching.close();

  const { latency, failures } = answers;
  const outcomes = Map.groupBy(answers.orders.values(), ({ status }) => status);
  console.log(`Answers to purchases: ${listOf(answers.purchases)}.`);
  console.log(`Orders: ${listOf([...outcomes].map(([status, orders]) => [status, orders.length]))}.`);
  console.log(`Answer times: p50 ${latency.p50} ms, p99 ${latency.p99} ms, max ${latency.max} ms.`);
  console.log(`Sockets: ${viewers}, with ${views.messages} messages.`);

  const found = failures + views.failures + countOf(Object.fromEntries(answers.purchases), isError);
  const broken = [
    latency.p99 > p99 && `p99 is ${latency.p99} ms, above ${p99} ms`,
    found > errors && `${found} errors, above ${errors}`,
    open > 0 && `${open} orders have no outcome after ${timeout} s`,
  ].filter((line) => line !== false);
  for (const line of broken) console.log(`FAILED: ${line}.`);
  return broken.length === 0 ? 0 : 1;
});

function listOf(counts: Iterable<readonly [string, number]>): string {
  const words = [...counts].map(([name, count]) => `${count} × ${name}`);
  return words.length === 0 ? 'none' : words.join(', ');
}
