import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { Pool } from 'undici';

/** A fault of one call to the suppliers. */
export type CallFault =
  /** The call is not executed, and answered 500. */
  | 'error'
  /** The call is executed, but answered 500. */
  | 'done but error'
  /** The call is executed, and answered with half of the body. The connection ends normally. */
  | 'garbage'
  /** The call is neither executed nor answered. */
  | 'lost'
  /** The call is executed, but never answered. */
  | 'silent'
  /** The call is not executed, and the connection breaks. */
  | 'cut'
  /** The call is executed, and the connection breaks in the middle of the answer. */
  | 'cut reply'
  /** The call is executed after the caller's timeout, and possibly after the caller's cancellation. */
  | 'done late'
  /** The call is executed at once, but answered after the caller's timeout. */
  | 'answered late';

export interface SupplierGateway extends AsyncDisposable {
  readonly port: number;
  /** Sets the function that chooses the fault of every call from now on. By default calls pass. */
  decide(fault: () => CallFault | undefined): void;
  /** Sets the function that chooses the fault of every call for this package, until the function is removed. */
  decideFor(packageId: number, fault: (() => CallFault | undefined) | undefined): void;
  /** Sets the function that chooses the fault of every call of the payment provider, by its method. By default they pass. */
  decidePayments(fault: (method: string) => CallFault | undefined): void;
  /** Delay of late calls in ms. */
  lateMs: () => number;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** Calls that the suppliers execute at the same time. Others wait for their turn. */
const connections = 64;

/** Forwards calls to the real suppliers, and to the payment provider beside them, with faults. */
export async function startSupplierGateway(target: string): Promise<SupplierGateway> {
  const pool = new Pool(new URL(target).origin, { connections });
  const turns = pLimit(connections);
  const closing = new AbortController();
  let faultOf: () => CallFault | undefined = () => undefined;
  let paymentFaultOf: (method: string) => CallFault | undefined = () => undefined;
  const faultsFor = new Map<number, () => CallFault | undefined>();
  /** The package of each reservation. A cancellation has only the key, and so has everything about a payment. */
  const packages = new Map<string, number>();

  function packageOf(request: IncomingMessage, body: Buffer): number | undefined {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined)
      return packages.get(decodeURIComponent(request.url?.split('/').at(-1) ?? ''));
    const { packageId } = JSON.parse(body.toString()) as { packageId?: number };
    if (packageId !== undefined) packages.set(String(key), packageId);
    return packages.get(String(key));
  }

  async function pass(request: IncomingMessage, body: Buffer): Promise<Reply> {
    const { accept, authorization, 'content-type': type, 'idempotency-key': key } = request.headers;
    const sent = { accept, authorization, 'content-type': type, 'idempotency-key': key as string };
    const given = Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const answer = await pool.request({
      path: request.url as string,
      method: request.method as 'GET' | 'POST' | 'DELETE',
      headers: Object.fromEntries(given),
      ...(body.length === 0 ? {} : { body }),
      signal: closing.signal,
    });
    const answered = Buffer.from(await answer.body.arrayBuffer());
    return { status: answer.statusCode, type: String(answer.headers['content-type'] ?? ''), body: answered };
  }

  const late = () => sleep(gateway.lateMs(), undefined, { signal: closing.signal });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const packageId = packageOf(request, body);
    const ofPackage = packageId === undefined ? undefined : faultsFor.get(packageId);
    const isPayment = request.url?.includes('/payments') === true;
    const ofPayment = isPayment ? paymentFaultOf(request.method as string) : undefined;
    const fault = ofPackage?.() ?? ofPayment ?? faultOf();
    if (fault === 'error') return send(response, broken);
    if (fault === 'lost') return;
    if (fault === 'cut') return void response.destroy();
    if (fault === 'done late') await late();
    // On a busy machine the queue would otherwise grow with calls that nobody waits for, and nobody would get an answer.
    const isAbandoned = () => fault === undefined && response.destroyed;
    const reply = await turns(async () => (isAbandoned() ? undefined : pass(request, body)));
    if (reply === undefined) return;
    if (fault === 'silent') return;
    if (fault === 'answered late') await late();
    if (fault === 'done but error') return send(response, broken);
    const half = reply.body.subarray(0, reply.body.length / 2);
    if (fault === 'garbage') return send(response, { ...reply, body: half });
    if (fault !== 'cut reply' || half.length === 0) return send(response, reply);
    response.writeHead(reply.status, { 'content-type': reply.type, 'content-length': reply.body.length });
    response.write(half, () => response.destroy());
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const gateway: SupplierGateway = {
    port: (server.address() as AddressInfo).port,
    decide(fault) {
      faultOf = fault;
    },
    decideFor(packageId, fault) {
      if (fault === undefined) faultsFor.delete(packageId);
      else faultsFor.set(packageId, fault);
    },
    decidePayments(fault) {
      paymentFaultOf = fault;
    },
    lateMs: () => 1_000,
    async [Symbol.asyncDispose]() {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, pool.destroy()]);
    },
  };
  return gateway;
}

const broken: Reply = {
  status: 500,
  type: 'application/problem+json',
  body: Buffer.from('{"type":"about:blank","title":"Broken","status":500,"code":"internal"}'),
};

function send(response: ServerResponse, { status, type, body }: Reply): void {
  if (response.destroyed) return;
  if (body.length === 0) response.writeHead(status).end();
  else response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body);
}
