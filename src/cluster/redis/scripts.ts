import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** What the Lua files beside this one do, see their headers. */
export interface Scripts {
  /** send.lua: how many of the messages were taken. */
  send(stream: string, entriesMax: number, keepMs: number, messages: readonly string[]): Promise<number>;
  announce(key: string, instance: string, silenceMs: number): Promise<Announced>;
}

export interface Announced {
  /** Redis's clock, in ms since the epoch. */
  readonly now: number;
  /** Whether this instance was there before. */
  readonly was: boolean;
  /** Sorted. */
  readonly members: readonly string[];
}

interface Commands {
  sendMessages(stream: string, ...parameters: (string | number)[]): Promise<number>;
  announceInstance(key: string, ...parameters: (string | number)[]): Promise<[number, number, ...string[]]>;
}

/** Teaches a connection the scripts. */
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
  return readFileSync(join(import.meta.dirname, file), 'utf8');
}
