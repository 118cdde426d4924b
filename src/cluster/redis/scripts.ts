import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** The Lua scripts of this folder. Their headers describe the arguments. */
export interface Scripts {
  /** `send.lua`. Returns how many of the messages were appended. */
  send(stream: string, entriesMax: number, keepMs: number, messages: readonly string[]): Promise<number>;
  /** `announce.lua`. */
  announce(keys: MembershipKeys, who: Announcer, silenceMs: number): Promise<Announced>;
  /** `leave.lua`. */
  leave(keys: MembershipKeys, who: Announcer): Promise<unknown>;
}

export interface MembershipKeys {
  /** Sorted set of instance ids. */
  readonly members: string;
  /** Hash of instance ids. */
  readonly incarnations: string;
}

/** A process that announces itself as an instance. */
export interface Announcer {
  /** Empty to announce no instance. */
  readonly instance: string;
  /** Distinguishes the processes with the same instance id. */
  readonly incarnation: string;
}

export interface Announced {
  /** The time of Redis's clock, as Unix time in ms. */
  readonly now: number;
  /** Whether this instance was a member before. */
  readonly was: boolean;
  /** Whether another process is a member under the id of this instance. Then this instance was not announced. */
  readonly isTaken: boolean;
  /** The ids of the members, sorted. */
  readonly members: readonly string[];
}

interface Commands {
  sendMessages(stream: string, ...parameters: (string | number)[]): Promise<number>;
  announceInstance(
    ...parameters: (string | number)[]
  ): Promise<[now: number, was: number, isTaken: number, ...members: string[]]>;
  removeInstance(...parameters: string[]): Promise<unknown>;
}

/** Defines the scripts on a connection. */
export function scriptsOn(redis: Redis): Scripts {
  redis.defineCommand('sendMessages', { numberOfKeys: 1, lua: read('send.lua') });
  redis.defineCommand('announceInstance', { numberOfKeys: 2, lua: read('announce.lua') });
  redis.defineCommand('removeInstance', { numberOfKeys: 2, lua: read('leave.lua') });
  const commands = redis as unknown as Commands;
  return {
    send: (stream, entriesMax, keepMs, messages) =>
      commands.sendMessages(stream, entriesMax, keepMs, ...messages),
    async announce({ members, incarnations }, { instance, incarnation }, silenceMs) {
      const announced = commands.announceInstance(members, incarnations, instance, silenceMs, incarnation);
      const [now, was, isTaken, ...found] = await announced;
      return { now, was: was === 1, isTaken: isTaken === 1, members: found.sort() };
    },
    leave: ({ members, incarnations }, { instance, incarnation }) =>
      commands.removeInstance(members, incarnations, instance, incarnation),
  };
}

function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}
