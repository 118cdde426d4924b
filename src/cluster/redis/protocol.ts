import { z } from 'zod';
import type { Json } from '../../lib/json.ts';

/**
 * The version of the message format. Each release must be able to read the messages of the previous release and of the
 * next release. New members may be added within a version, because unknown members are ignored. A change that older
 * releases cannot ignore needs a new version, which they refuse.
 */
const version = 1;

export interface RequestMessage {
  readonly id: string;
  readonly from: string;
  /** When the sender stops waiting, as Unix time in ms on Redis's clock. */
  readonly until: number;
  readonly body: Json;
}

export type AnswerMessage =
  | { readonly id: string; readonly body: Json }
  /** The receiver does not answer the request; `refused` says why. */
  | { readonly id: string; readonly refused: string };

/** A message that cannot be decoded. `id` and `from` are present if these members could be read. */
export interface UnreadableMessage {
  readonly why: string;
  readonly id?: string | undefined;
  readonly from?: string | undefined;
}

const header = z.object({ v: z.int(), id: z.string(), from: z.string().optional() });
const body = z.custom<Json>((value) => value !== undefined);
const request = z.object({ id: z.string(), from: z.string(), until: z.number(), body });
const answer = z.union([
  z.object({ id: z.string(), refused: z.string() }),
  z.object({ id: z.string(), body }),
]);

export function writeRequest(message: RequestMessage): string {
  return JSON.stringify({ v: version, ...message });
}

export function writeAnswer(message: AnswerMessage): string {
  return JSON.stringify({ v: version, ...message });
}

export function readRequest(text: string): RequestMessage | UnreadableMessage {
  return read(text, request);
}

export function readAnswer(text: string): AnswerMessage | UnreadableMessage {
  return read(text, answer);
}

function read<T>(text: string, format: z.ZodType<T>): T | UnreadableMessage {
  const parsed = parseJson(text);
  const { data } = header.safeParse(parsed);
  if (data === undefined) return { why: 'it is not a message' };
  const { v, id, from } = data;
  if (v > version) return { id, from, why: `it has version ${v}, but this release reads only ${version}` };
  const message = format.safeParse(parsed);
  return message.success ? message.data : { id, from, why: 'its members are not those of version 1' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
