import { z } from 'zod';
import type { Json } from '../../lib/json.ts';

/**
 * The format's version. A release reads what the one before it and the one after it write: members may be added
 * within a version, and those that are not known are ignored; whatever an older release must not read gets a new
 * version, which is refused.
 */
const version = 1;

export interface RequestMessage {
  readonly id: string;
  readonly from: string;
  /** When its sender stops waiting, in ms on Redis's clock. */
  readonly until: number;
  readonly body: Json;
}

export type AnswerMessage =
  | { readonly id: string; readonly body: Json }
  /** There will be none, and why. */
  | { readonly id: string; readonly refused: string };

/** A message that cannot be read; `id` and `from` where at least these could be. */
export interface UnreadableMessage {
  readonly why: string;
  readonly id?: string;
  readonly from?: string;
}

const anyVersion = z.object({ v: z.int(), id: z.string(), from: z.string().optional() });
const request = z.object({ id: z.string(), from: z.string(), until: z.number(), body: z.unknown() });
const answer = z.object({ id: z.string(), body: z.unknown(), refused: z.string().optional() });

export function writeRequest(message: RequestMessage): string {
  return JSON.stringify({ v: version, ...message });
}

export function writeAnswer(message: AnswerMessage): string {
  return JSON.stringify({ v: version, ...message });
}

export function readRequest(text: string): RequestMessage | UnreadableMessage {
  const message = read(text);
  if ('why' in message) return message;
  const { success, data } = request.safeParse(message.parsed);
  return success && data.body !== undefined
    ? { ...data, body: data.body as Json }
    : { ...message.known, why: 'it is not a request' };
}

export function readAnswer(text: string): AnswerMessage | UnreadableMessage {
  const message = read(text);
  if ('why' in message) return message;
  const { success, data } = answer.safeParse(message.parsed);
  if (!success) return { ...message.known, why: 'it is not an answer' };
  if (data.refused !== undefined) return { id: data.id, refused: data.refused };
  if (data.body === undefined) return { ...message.known, why: 'it is not an answer' };
  return { id: data.id, body: data.body as Json };
}

/** What every version has in common. */
function read(
  text: string,
): { readonly parsed: unknown; readonly known: Partial<UnreadableMessage> } | UnreadableMessage {
  const parsed = parse(text);
  const envelope = anyVersion.safeParse(parsed);
  if (!envelope.success) return { why: 'it is no message' };
  const { v, id, from } = envelope.data;
  const known = { id, ...(from === undefined ? {} : { from }) };
  if (v > version) return { ...known, why: `it has version ${v}, and at most ${version} is understood` };
  return { parsed, known };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
