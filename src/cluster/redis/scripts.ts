import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

/** The Lua scripts of this folder. Their headers describe the arguments. */
export interface Scripts {
  /** `send.lua`. Returns how many of the messages were appended. */
  send(stream: string, entriesMax: number, keepMs: number, messages: readonly string[]): Promise<number>;
  /** `announce.lua`. */
  announce(key: string, instance: string, silenceMs: number): Promise<Announced>;
}

export interface Announced {
  /** The time of Redis's clock, as Unix time in ms. */
  readonly now: number;
  /** Whether this instance was a member before. */
  readonly was: boolean;
  /** The ids of the members, sorted. */
  readonly members: readonly string[];
}

interface Commands {
  sendMessages(stream: string, ...parameters: (string | number)[]): Promise<number>;
  announceInstance(key: string, ...parameters: (string | number)[]): Promise<[number, number, ...string[]]>;
}

/** Defines the scripts on a connection. */
export function scriptsOn(redis: Redis): Scripts {
  redis.defineCommand('sendMessages', { numberOfKeys: 1, lua: read('send.lua') });
  redis.defineCommand('announceInstance', { numberOfKeys: 1, lua: read('announce.lua') });
  const commands = redis as unknown as Commands;
  return {
    send: (stream, entriesMax, keepMs, messages) =>
      commands.sendMessages(stream, entriesMax, keepMs, ...messages),
    async announce(key, instance, silenceMs) {
      const [now, was, ...members] = await commands.announceInstance(key, instance, silenceMs);
      return { now, was: was === 1, members: members.sort() };
    },
  };
}

function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}
