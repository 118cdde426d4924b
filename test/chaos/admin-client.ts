import { defined } from '../../src/lib/defined.ts';
import { type Answer, type Client, type HttpRequest, seen } from './client.ts';
import type { EraseEntry, RetryEntry, SeenPackage, UpdateEntry } from './history.ts';

/** Sends an operator's requests to instances, given by index, and records each change with its answer. */
export class AdminClient {
  readonly #client: Client;
  readonly #token: string;

  constructor(client: Client, token: string) {
    this.#client = client;
    this.#token = token;
  }

  get instances(): number {
    return this.#client.instances;
  }

  /** Reads a package; undefined without an answer. This request is not recorded. */
  async package(instance: number, packageId: number): Promise<SeenPackage | undefined> {
    return packageIn(await this.#ask(instance, { method: 'GET', path: `/packages/${packageId}` }));
  }

  /** The ids of orders that are stuck or slow; empty without an answer. This request is not recorded. */
  async stuckOrders(instance: number): Promise<readonly string[]> {
    const { status, body } = await this.#ask(instance, { method: 'GET', path: '/orders?stuck=true' });
    if (status !== 200 || body === undefined) return [];
    return (body.orders as readonly { readonly id: string }[]).map(({ id }) => id);
  }

  async setQuota(instance: number, packageId: number, version: number, quota: number): Promise<UpdateEntry> {
    const body = JSON.stringify({ version, quota });
    const answer = await this.#ask(instance, { method: 'PATCH', path: `/packages/${packageId}`, body });
    return this.#updated('update', packageId, answer, quota);
  }

  async pause(instance: number, packageId: number): Promise<UpdateEntry> {
    const answer = await this.#ask(instance, { method: 'POST', path: `/packages/${packageId}/pause` });
    return this.#updated('pause', packageId, answer);
  }

  async resume(instance: number, packageId: number): Promise<UpdateEntry> {
    const answer = await this.#ask(instance, { method: 'POST', path: `/packages/${packageId}/resume` });
    return this.#updated('resume', packageId, answer);
  }

  async retry(instance: number, orderId: string): Promise<RetryEntry> {
    const answer = await this.#ask(instance, { method: 'POST', path: `/orders/${orderId}/retry` });
    return this.#client.recorded({ kind: 'retry', orderId, ...seen(answer) });
  }

  async erase(instance: number, email: string): Promise<EraseEntry> {
    const body = JSON.stringify({ email });
    const answer = await this.#ask(instance, { method: 'POST', path: '/erase', body });
    const left = answer.status === 200 ? Number(answer.body?.left) : undefined;
    return this.#client.recorded({ kind: 'erase', email, ...seen(answer), ...defined({ left }) });
  }

  #updated(kind: UpdateEntry['kind'], packageId: number, answer: Answer, quota?: number): UpdateEntry {
    const updated = packageIn(answer);
    return this.#client.recorded({ kind, packageId, ...seen(answer), ...defined({ quota, updated }) });
  }

  #ask(instance: number, { path, ...request }: HttpRequest): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    return this.#client.ask(instance, { ...request, path: `/api/admin${path}`, headers });
  }
}

function packageIn({ status, body }: Answer): SeenPackage | undefined {
  if (status !== 200 || body === undefined) return undefined;
  return { version: Number(body.version), quota: Number(body.quota), paused: body.paused === true };
}
