import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type ApiServer, startApiServer } from './api-server.ts';
import { findCrds } from './crds.ts';
import { findHelm } from './tools.ts';

/*
 * A real API server of Kubernetes takes the chart. Building one takes too long for CI, so these tests run where
 * KUBE_APISERVER_PATH is set: see docs/kubernetes.md.
 */

const run = promisify(execFile);
const chart = join(import.meta.dirname, '../../deploy/helm/ticket-booking');
const sets = ['minimal', 'everything', 'queue'] as const;
type Set = (typeof sets)[number];

interface Deployment {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly metadata: object; readonly spec: object };
  };
}

const isThere = Boolean(process.env.KUBE_APISERVER_PATH);
if (!isThere)
  console.warn('LEFT OUT: a real API server takes the Helm chart. KUBE_APISERVER_PATH is not set.');

describe.skipIf(!isThere)('a real API server', () => {
  let server: ApiServer;
  let program: string;
  beforeAll(async () => {
    [server, program] = await Promise.all([startApiServer(), findHelm()]);
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const { files } = await findCrds();
    for (const file of files) await server.call('POST', crds, parse(await readFile(file, 'utf8')));
    // The server serves a custom resource a moment after it was defined.
    for (const path of [
      '/apis/monitoring.coreos.com/v1/servicemonitors',
      '/apis/external-secrets.io/v1/externalsecrets',
    ])
      await vi.waitFor(() => server.call('GET', path));
  }, 900_000);
  afterAll(() => server?.stop());

  /** Runs helm. Anything on its standard error is a warning of the server. */
  async function helm(...parameters: string[]): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, KUBECONFIG: server.kubeconfig };
    const { stdout, stderr } = await run(program, parameters, { env, timeout: 60_000 });
    expect(stderr).toBe('');
    return stdout;
  }
  const valuesOf = (set: Set) => ['--values', join(chart, 'ci', `${set}-values.yaml`)];

  /** Makes a namespace whose pods must follow the strictest of Kubernetes' Pod Security Standards. */
  async function namespace(name: string): Promise<void> {
    const restricted = Object.fromEntries(
      ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
    );
    await server.call('POST', '/api/v1/namespaces', { metadata: { name, labels: restricted } });
  }

  it.each(sets)('accepts the %s values, without a warning', async (set) => {
    const name = `tickets-${set}`;
    await namespace(name);
    const release = ['ticket-booking', chart, '--namespace', name, ...valuesOf(set)];
    await helm('install', '--dry-run=server', ...release);
    await helm('install', ...release);
    const kept = await helm('get', 'manifest', 'ticket-booking', '--namespace', name);
    expect(kept).toContain('kind: Deployment');
    // The same again changes nothing.
    const before = await deployment(name, set);
    await helm('upgrade', ...release);
    expect((await deployment(name, set)).metadata.generation).toBe(before.metadata.generation);
  });

  it.each(sets)('lets the pods of the %s values into a restricted namespace', async (set) => {
    const name = `pods-${set}`;
    await namespace(name);
    await helm('install', 'ticket-booking', chart, '--namespace', name, ...valuesOf(set));
    const { items } = (await server.call('GET', `/apis/apps/v1/namespaces/${name}/deployments`)) as {
      readonly items: readonly Deployment[];
    };
    expect(items).toHaveLength(set === 'queue' ? 2 : 1);
    for (const { metadata, spec } of items) {
      const pod = { metadata: { ...spec.template.metadata, name: metadata.name }, spec: spec.template.spec };
      await server.call('POST', `/api/v1/namespaces/${name}/pods`, pod);
    }
  });

  it('keeps the number of replicas when the autoscaler takes over, and afterwards the number of the autoscaler', async () => {
    await namespace('scaled');
    const release = ['ticket-booking', chart, '--namespace', 'scaled', ...valuesOf('minimal')];
    await helm('install', ...release, '--set', 'replicas=5');
    const replicas = async () => (await deployment('scaled', 'minimal')).spec.replicas;
    expect(await replicas()).toBe(5);
    await helm('upgrade', ...release, '--set', 'autoscaling.enabled=true');
    expect(await replicas()).toBe(5);
    const path = '/apis/apps/v1/namespaces/scaled/deployments/ticket-booking';
    await server.call('PATCH', path, { spec: { replicas: 8 } });
    await helm('upgrade', ...release, '--set', 'autoscaling.enabled=true,settings.LOG_LEVEL=debug');
    expect(await replicas()).toBe(8);
  });

  it('refuses a chart with a wrong object', async () => {
    await namespace('wrong');
    const release = ['ticket-booking', chart, '--namespace', 'wrong', ...valuesOf('minimal')];
    const wrong = ['--set-json', 'resources={"requests":{"memory":"much"}}'];
    await expect(helm('install', ...release, ...wrong)).rejects.toThrow(/quantities must match/);
  });

  async function deployment(name: string, set: Set): Promise<Deployment> {
    const path = `/apis/apps/v1/namespaces/${name}/deployments/${set === 'everything' ? 'tickets' : 'ticket-booking'}`;
    return (await server.call('GET', path)) as Deployment;
  }
});
