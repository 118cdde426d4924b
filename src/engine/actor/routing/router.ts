import { InboxFullError, type Messages } from '../../../cluster/messages.ts';
import type { ErrorCode } from '../../../domain/errors.ts';
import type { Answer, NotOwner } from '../../../domain/messages.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Json } from '../../../lib/json.ts';
import type { Log } from '../../../observability/log.ts';
import type { Tracing } from '../../../observability/tracing.ts';
import type { Store } from '../../../storage/store.ts';
import type { Command } from '../../commands.ts';
import type { Candidates } from '../candidates.ts';
import type { Traffic } from '../traffic.ts';
import type { PeerService } from './peers.ts';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  type InstanceAnswer,
  packageIdsMax,
} from './protocol.ts';

/** No answer came. The command may be stored already, or may still be stored. */
interface NoReply {
  readonly kind: 'noReply';
}

/** The packages that this instance owns. */
export interface LocalOwner {
  /** Resolves after the commit, or with `notOwner` if another instance owns the package. Never rejects. */
  send(packageId: number, command: Command, deadlineAt: number): Promise<Answer | NotOwner>;
  withdraw(packageId: number, orderId: string): void;
  isActive(packageId: number): boolean;
  /** False while this instance gives its packages away. */
  readonly mayOwn: boolean;
}

export interface RouterOptions {
  readonly instance: string;
  readonly messages: Messages;
  readonly local: LocalOwner;
  readonly candidates: Candidates;
  /** Is told where the purchases arrive that this instance decides. */
  readonly traffic: Pick<Traffic, 'note'>;
  /** Takes over packages that another instance gave away. */
  readonly takeOver: (packageIds: readonly number[]) => void;
  /** Notes packages that a member cannot own. */
  readonly noteUnable: (member: string, packageIds: readonly number[]) => void;
  /** Answers operators' requests that other instances pass on. */
  readonly peers?: Pick<PeerService, 'answer'>;
  readonly store: Pick<Store, 'owner'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracing?: Tracing;
  /** Time until a command must be answered. */
  readonly commandTimeoutMs: number;
}

const askTimeoutMs = 2_000;
/** After this time an unanswered command is certainly either stored or lost. Twice the wait for an answer. */
const copyLivesMs = 2 * askTimeoutMs;
const pauseFirstMs = 10;
const pauseMaxMs = 250;
/** For this long after its start, an instance may receive repeated requests that its previous process has stored. */
const afterlifeMs = 5_000;
/** Longest wait for an unavailable transport. Without the transport, only packages of this instance can be sold. */
const transportTimeoutMs = 1_500;

/**
 * Sends commands to the owner of a package, and repeats them with the same ids until an owner has answered or the
 * timeout has passed. The router first asks the instance that answered last, then the owner in the store, then the
 * instance that rendezvous hashing prefers. The preferred instance takes the package over if it has no owner.
 */
export class Router {
  readonly #options: RouterOptions;
  readonly #lastOwner = new Map<number, string>();
  readonly #startedAt: number;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    options.messages.serve((json, from) => this.#serve(json, from));
  }

  /** Resolves with the owner's answer, or a refusal. Never rejects. */
  async send(packageId: number, command: Command): Promise<Answer> {
    const { instance, local, clock, commandTimeoutMs, messages } = this.#options;
    const startedAt = clock.monotonic();
    const deadlineAt = startedAt + commandTimeoutMs;
    const failed = new Set<string>();
    let sent = command;
    let doubtfulUntil = 0;
    for (
      let pauseMs = pauseFirstMs;
      clock.monotonic() < deadlineAt;
      pauseMs = Math.min(pauseMs * 2, pauseMaxMs)
    ) {
      const target = await this.#target(packageId, failed);
      if (target !== undefined) {
        const sentAt = clock.monotonic();
        const answer = await this.#sendTo(target, packageId, sent, deadlineAt);
        if (answer.kind === 'noReply' || answer.kind === 'notOwner') {
          this.#lastOwner.delete(packageId);
          failed.add(target);
          sent = inDoubt(sent);
          if (answer.kind === 'noReply') doubtfulUntil = sentAt + copyLivesMs;
        } else {
          this.#lastOwner.set(packageId, target);
          const isFinal = !isRefusedPurchase(command, answer) || clock.monotonic() >= doubtfulUntil;
          if (isFinal) return answer;
          // This owner refused, but another instance that has not answered may still store the command.
          await clock.sleep(Math.min(doubtfulUntil, deadlineAt) - clock.monotonic());
        }
      }
      if (target === undefined || failed.size >= messages.members().length) failed.clear();
      if (!messages.available && clock.monotonic() - startedAt > transportTimeoutMs) break;
      // This instance is draining and there is no other.
      if (!local.mayOwn && messages.members().every((member) => member === instance)) break;
      await clock.sleep(pauseMs);
    }
    this.#forgo(packageId, sent);
    return { kind: 'refused', code: 'no_owner' };
  }

  /** Withdraws an order whose caller hung up. Best effort. */
  withdraw(packageId: number, orderId: string): void {
    void this.#withdraw(packageId, orderId);
  }

  async #withdraw(packageId: number, orderId: string): Promise<void> {
    const { local, instance, store } = this.#options;
    if (local.isActive(packageId)) return local.withdraw(packageId, orderId);
    const last = this.#lastOwner.get(packageId);
    const isOtherInstance = last !== undefined && last !== instance;
    const owner = isOtherInstance ? last : await store.owner(packageId).catch(() => undefined);
    if (owner === undefined || owner === instance) return local.withdraw(packageId, orderId);
    this.#tell(owner, { kind: 'withdraw', packageId, orderId });
  }

  /** Withdraws an order without a key that may be stored, because its caller never learns the id. */
  #forgo(packageId: number, sent: Command): void {
    const isLost = sent.kind === 'purchase' && sent.inDoubt === true && sent.key === undefined;
    if (isLost) this.withdraw(packageId, sent.orderId);
  }

  /** Asks the preferred instance of each package to take it over. */
  wakeOnPreferred(packageIds: readonly number[]): void {
    const { messages, instance, candidates } = this.#options;
    const others = messages.members().filter((member) => member !== instance);
    if (others.length === 0) return;
    const byOwner = Map.groupBy(packageIds, (id) => candidates.preferred(id, others) as string);
    for (const [owner, ids] of byOwner) this.wakeOn(owner, ids);
  }

  /** Asks a member to take these packages over. */
  wakeOn(member: string, packageIds: readonly number[]): void {
    this.#tellOf(packageIds, 'wake', [member]);
  }

  /** Tells the other instances that this one cannot own these packages. */
  tellUnable(packageIds: readonly number[]): void {
    const { messages, instance } = this.#options;
    const others = messages.members().filter((member) => member !== instance);
    this.#tellOf(packageIds, 'unable', others);
  }

  /** Sends as many messages as the packages need. */
  #tellOf(packageIds: readonly number[], kind: 'wake' | 'unable', to: readonly string[]): void {
    for (let from = 0; from < packageIds.length; from += packageIdsMax) {
      const some = packageIds.slice(from, from + packageIdsMax);
      for (const member of to) this.#tell(member, { kind, packageIds: some });
    }
  }

  async #target(packageId: number, failed: ReadonlySet<string>): Promise<string | undefined> {
    const { local, instance, messages, store, candidates } = this.#options;
    if (local.isActive(packageId) && !failed.has(instance)) return instance;
    const members = messages.members().filter((member) => member !== instance || local.mayOwn);
    const isWorthAsking = (member: string | undefined): member is string =>
      member !== undefined && members.includes(member) && !failed.has(member);
    const last = this.#lastOwner.get(packageId);
    if (isWorthAsking(last)) return last;
    const owner = await store.owner(packageId).catch(() => undefined);
    if (isWorthAsking(owner)) return owner;
    return candidates.ranked(packageId, members).find(isWorthAsking);
  }

  async #sendTo(
    target: string,
    packageId: number,
    command: Command,
    deadlineAt: number,
  ): Promise<Answer | NotOwner | NoReply> {
    const { instance, tracing } = this.#options;
    if (target === instance) return this.#decide(packageId, command, deadlineAt, instance);
    const isTraced = command.kind === 'purchase' || command.kind === 'cancel';
    if (!isTraced || tracing?.current() === undefined) {
      return this.#ask(target, packageId, command, deadlineAt);
    }
    const attributes = { 'package.id': packageId, 'order.id': command.orderId, 'owner.instance': target };
    return tracing.within('ask owner', { kind: 'producer', attributes }, ({ context: trace }) =>
      this.#ask(target, packageId, { ...command, trace }, deadlineAt),
    );
  }

  async #ask(
    target: string,
    packageId: number,
    command: Command,
    deadlineAt: number,
  ): Promise<Answer | NotOwner | NoReply> {
    const { messages, clock, log } = this.#options;
    const timeoutMs = Math.max(1, Math.min(askTimeoutMs, deadlineAt - clock.monotonic()));
    try {
      const request = encodeRequest({ kind: 'command', packageId, patienceMs: timeoutMs, command });
      const answer = decodeAnswer(await messages.ask(target, request, timeoutMs));
      return answer.kind === 'done' || answer.kind === 'status' ? { kind: 'notOwner' } : answer;
    } catch (error) {
      if (error instanceof InboxFullError) return { kind: 'refused', code: 'overloaded' };
      log.debug({ packageId, to: target, err: error }, 'no answer from the owner: it is looked for anew');
      return { kind: 'noReply' };
    }
  }

  #tell(to: string, request: Parameters<typeof encodeRequest>[0]): void {
    const { messages, log } = this.#options;
    messages.ask(to, encodeRequest(request), askTimeoutMs).catch((err: unknown) => {
      log.debug({ to, err }, `a message got lost: ${request.kind}`);
    });
  }

  async #serve(json: Json, from: string): Promise<Json> {
    return encodeAnswer(await this.#answer(json, from));
  }

  async #answer(json: Json, from: string): Promise<InstanceAnswer> {
    const { local, clock } = this.#options;
    const request = decodeRequest(json);
    switch (request?.kind) {
      case 'command':
        if (!local.mayOwn && !local.isActive(request.packageId)) return { kind: 'notOwner' };
        return this.#decide(
          request.packageId,
          this.#delivered(request.command),
          clock.monotonic() + request.patienceMs,
          from,
        );
      case 'withdraw':
        local.withdraw(request.packageId, request.orderId);
        return { kind: 'done' };
      case 'wake':
        this.#options.takeOver(request.packageIds);
        return { kind: 'done' };
      case 'unable':
        this.#options.noteUnable(from, request.packageIds);
        return { kind: 'done' };
      case 'status':
      case 'drain':
        return (await this.#options.peers?.answer(request)) ?? { kind: 'notOwner' };
      default:
        return { kind: 'notOwner' };
    }
  }

  /** Sends a command to the package's actor of this instance. `from` is the instance that the customer called. */
  #decide(packageId: number, command: Command, deadlineAt: number, from: string): Promise<Answer | NotOwner> {
    const { local, traffic } = this.#options;
    if (command.kind === 'purchase') traffic.note(packageId, from);
    return local.send(packageId, command, deadlineAt);
  }

  #delivered(command: Command): Command {
    const mayBeAgain = this.#options.clock.monotonic() - this.#startedAt < afterlifeMs;
    return mayBeAgain ? inDoubt(command) : command;
  }
}

/** Whether a purchase was refused for a lasting reason. */
function isRefusedPurchase({ kind }: Command, answer: Answer): boolean {
  return kind === 'purchase' && answer.kind === 'refused' && !passing.has(answer.code);
}

/** Codes of temporary refusals, which say nothing about the order. */
const passing: ReadonlySet<ErrorCode> = new Set(['overloaded', 'no_owner', 'store_unavailable', 'internal']);

/** Marks a command as in doubt: it may be stored although no answer came. */
function inDoubt(command: Command): Command {
  return command.kind === 'purchase' || command.kind === 'update' ? { ...command, inDoubt: true } : command;
}
