import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChartTools, findChartTools } from './tools.ts';

/* Helm asks the API server how many replicas run. This one knows a single Deployment, which an autoscaler has scaled to 8. */

const chart = join(import.meta.dirname, '../../deploy/helm/ticket-booking');
const deployments = { name: 'deployments', singularName: 'deployment', namespaced: true, kind: 'Deployment' };
const answers: Readonly<Record<string, object>> = {
  '/apis/apps/v1': {
    ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'apps/v1' },
    resources: [{ ...deployments, verbs: ['get'] }],
  },
  '/apis/apps/v1/namespaces/tickets/deployments/ticket-booking': {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: 'ticket-booking', namespace: 'tickets' },
    spec: { replicas: 8 },
  },
};
const server = createServer(({ url = '' }, response) => {
  const answer = answers[url.split('?')[0] ?? ''];
  response.writeHead(answer === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
  response.end(
    JSON.stringify(answer ?? { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 }),
  );
});

let tools: ChartTools;
let folder: string;
beforeAll(async () => {
  tools = await findChartTools();
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-helm-'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = {
    clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}` } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  await writeFile(join(folder, 'kubeconfig.json'), JSON.stringify(config), { mode: 0o600 });
}, 1_800_000);
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['the autoscaler’s, if it has one', 'ticket-booking', true, ['8']],
  ['the default at the first installation with an autoscaler', 'other', true, []],
  ['that of the values without an autoscaler', 'ticket-booking', false, ['3']],
] as const)('the number of replicas is %s', async (_, release, hasAutoscaler, replicas) => {
  const rendered = await tools.helm(
    ...['template', release, chart, '--namespace', 'tickets', '--kube-version', '1.34.0', '--dry-run=server'],
    ...['--kubeconfig', join(folder, 'kubeconfig.json')],
    ...['--values', join(chart, 'ci/minimal-values.yaml'), '--set', `autoscaling.enabled=${hasAutoscaler}`],
  );
  expect([...rendered.matchAll(/^ {2}replicas: (.*)$/gm)].map(([, count]) => count)).toEqual(replicas);
});
