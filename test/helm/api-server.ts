import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { endChild } from '../support/servers/end-child.ts';
import { findGoProgram, type GoProgram } from '../support/servers/go-program.ts';

const apiServer: GoProgram = {
  name: 'kube-apiserver',
  module: 'k8s.io/kubernetes',
  version: 'v1.37.0',
  command: 'k8s.io/kubernetes/cmd/kube-apiserver',
  staging: 'v0.37.0',
  // Helm compares it with the chart's kubeVersion.
  linkerFlags: '-X k8s.io/component-base/version.gitVersion=v1.37.0',
};
const etcd: GoProgram = {
  name: 'etcd',
  module: 'go.etcd.io/etcd/server/v3',
  version: 'v3.7.0',
  command: 'go.etcd.io/etcd/server/v3',
};
/** The time in which a server has to begin to answer. */
const startTimeoutMs = 90_000;
const token = 'the-token-of-the-test';

/**
 * Kubernetes' API server with its etcd, and nothing else: it checks, defaults and keeps objects, but no pod runs.
 * Everything is allowed to the one user.
 */
export interface ApiServer {
  /** The path of a kubeconfig for it. */
  readonly kubeconfig: string;
  /** Sends a request and returns the object in the answer. @throws Error with the answer if it is an error. */
  call(method: 'GET' | 'POST' | 'PATCH', path: string, object?: object): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts an API server, which is found as {@link findGoProgram} says. */
export async function startApiServer(): Promise<ApiServer> {
  const programs = {
    apiServer: await findGoProgram(apiServer, 'KUBE_APISERVER_PATH'),
    etcd: await findGoProgram(etcd, 'ETCD_PATH'),
  };
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-kubernetes-'));
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map((child) => endChild(child, 'SIGKILL')));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await start(programs, folder, children)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  programs: { readonly apiServer: string; readonly etcd: string },
  folder: string,
  children: ChildProcess[],
): Promise<Omit<ApiServer, 'stop'>> {
  const [clients, peers, port] = [await freePort(), await freePort(), await freePort()];
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`];
  children.push(
    run(programs.etcd, {
      'data-dir': join(folder, 'etcd'),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `default=${peerUrl}`,
      'log-level': 'error',
    }),
  );
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyFile = join(folder, 'service-accounts.pem');
  await writeFile(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const tokenFile = join(folder, 'tokens.csv');
  await writeFile(tokenFile, `${token},test,1,system:masters\n`);
  const server = run(programs.apiServer, {
    'etcd-servers': clientUrl,
    'bind-address': '127.0.0.1',
    'secure-port': `${port}`,
    'cert-dir': folder,
    'token-auth-file': tokenFile,
    'authorization-mode': 'AlwaysAllow',
    'service-cluster-ip-range': '10.96.0.0/16',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': keyFile,
    'service-account-signing-key-file': keyFile,
    // Nobody makes the service accounts of a namespace here.
    'disable-admission-plugins': 'ServiceAccount',
  });
  children.push(server);
  const call = caller(port, join(folder, 'apiserver.crt'));
  await ready(server, () => call('GET', '/api/v1/namespaces/default'));
  const kubeconfig = join(folder, 'kubeconfig.json');
  // Helm warns of a file that others can read.
  const mode = 0o600;
  await writeFile(kubeconfig, JSON.stringify(configFor(port, join(folder, 'apiserver.crt'))), { mode });
  return { kubeconfig, call };
}

const configFor = (port: number, certificate: string) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    { name: 'test', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': certificate } },
  ],
  users: [{ name: 'test', user: { token } }],
  contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  'current-context': 'test',
});

function run(program: string, flags: Readonly<Record<string, string>>): ChildProcess {
  const parameters = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  const last = () => child.kill('SIGKILL');
  process.once('exit', last);
  child.once('exit', () => process.off('exit', last));
  return child;
}

/** Waits until the server answers. @throws Error with its last output if it ends before. */
async function ready(server: ChildProcess, ask: () => Promise<unknown>): Promise<void> {
  let output = '';
  server.stderr?.on('data', (data: Buffer) => {
    output = `${output}${data}`.slice(-2_000);
  });
  const until = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > until)
        throw new Error(`kube-apiserver does not answer: ${(error as Error).message}\n${output}`);
    }
    await sleep(200);
  }
}

function caller(port: number, certificate: string): ApiServer['call'] {
  return async (method, path, object) => {
    const body = object === undefined ? undefined : JSON.stringify(object);
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const sent = request({
      ...{ host: '127.0.0.1', port, path, method, ca: await readFile(certificate) },
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': type },
    });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const answer = await text(response);
    if (response.statusCode >= 400) throw new Error(`${method} ${path}: ${answer}`);
    return JSON.parse(answer);
  };
}

// Run directly, this file finds or builds the API server, and prints its path.
if (import.meta.main) console.log(await findGoProgram(apiServer, 'KUBE_APISERVER_PATH'));
