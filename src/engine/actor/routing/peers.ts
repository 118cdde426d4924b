import type { Messages } from '../../../cluster/messages.ts';
import type { Json } from '../../../lib/json.ts';
import type { PeerHandler, PeerRequest, Peers } from '../../operated-engine.ts';
import { decodeAnswer, encodeRequest, type InstanceAnswer } from './protocol.ts';

const tellTimeoutMs = 2_000;

/** Requests of operators between instances. The router passes incoming requests to {@link answer}. */
export class PeerService implements Peers {
  readonly #messages: Messages;
  #handler: PeerHandler | undefined;

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  members(): readonly string[] {
    return this.#messages.members();
  }

  get available(): boolean {
    return this.#messages.available;
  }

  async status(instance: string, timeoutMs: number): Promise<Json | undefined> {
    const answer = await this.#ask(instance, { kind: 'status' }, timeoutMs);
    return answer?.kind === 'status' ? answer.status : undefined;
  }

  async drain(instance: string): Promise<boolean> {
    const answer = await this.#ask(instance, { kind: 'drain' }, tellTimeoutMs);
    return answer?.kind === 'done';
  }

  serve(handler: PeerHandler): void {
    this.#handler = handler;
  }

  /** Answers an incoming request. An instance that is still starting has no handler yet. */
  async answer({ kind }: PeerRequest): Promise<InstanceAnswer> {
    const handler = this.#handler;
    if (handler === undefined) return { kind: 'notOwner' };
    if (kind === 'status') return { kind: 'status', status: await handler.status() };
    handler.drain();
    return { kind: 'done' };
  }

  async #ask(instance: string, request: PeerRequest, timeoutMs: number): Promise<InstanceAnswer | undefined> {
    try {
      return decodeAnswer(await this.#messages.ask(instance, encodeRequest(request), timeoutMs));
    } catch {
      return undefined;
    }
  }
}
