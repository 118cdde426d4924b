import { isText, type Json, membersOf } from '../../lib/json.ts';

/**
 * The version of the message format. Each release must be able to read the messages of the previous release and of the
 * next release. New members may be added within a version, because unknown members are ignored. A change that older
 * releases cannot ignore needs a new version, which they refuse.
 */
const version = 1;

/** A member of every message. */
interface Sent {
  /** Whether the sender reads frames. Absent in the messages of older releases, which read single messages only. */
  readonly frames?: boolean;
}

export interface RequestMessage extends Sent {
  readonly id: string;
  readonly from: string;
  /** When the sender stops waiting, as Unix time in ms on Redis's clock. */
  readonly until: number;
  readonly body: Json;
}

export type AnswerMessage = Sent &
  (
    | { readonly id: string; readonly body: Json }
    /** The receiver does not answer the request; `refused` says why. */
    | { readonly id: string; readonly refused: string }
  );

/** A message that cannot be decoded. `id` and `from` are present if these members could be read. */
export interface UnreadableMessage {
  readonly why: string;
  readonly id?: string | undefined;
  readonly from?: string | undefined;
}

export function writeRequest(message: Omit<RequestMessage, 'frames'>): string {
  return JSON.stringify({ v: version, frames: true, ...message });
}

export function writeAnswer(message: AnswerMessage): string {
  return JSON.stringify({ v: version, frames: true, ...message });
}

/** Joins written messages into one text: a JSON array of them. A single message stays as it is. */
export function writeFrame(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join()}]`;
}

/** The messages in a text, which is a frame or a single message. Each is to be read by itself. */
export function messagesIn(text: string): readonly unknown[] {
  const parsed = parseJson(text);
  return Array.isArray(parsed) ? parsed : [parsed];
}

/* Every message of every purchase at another instance passes these checks. A schema would cost more than the parsing. */

export function readRequest(message: unknown): RequestMessage | UnreadableMessage {
  const read = readHeader(message);
  if ('why' in read) return read;
  const { id, from, until, body, frames } = read;
  const isRequest = from !== undefined && Number.isFinite(until) && body !== undefined;
  if (!isRequest) return { id, from, why: wrongMembers };
  return { id, from, until: until as number, body: body as Json, frames: frames === true };
}

export function readAnswer(message: unknown): AnswerMessage | UnreadableMessage {
  const read = readHeader(message);
  if ('why' in read) return read;
  const { id, from, body, refused, frames } = read;
  if (typeof refused === 'string') return { id, refused, frames: frames === true };
  if (body !== undefined) return { id, body: body as Json, frames: frames === true };
  return { id, from, why: wrongMembers };
}

const wrongMembers = 'its members are not those of version 1';

/** A message with a readable header. Its other members are unchecked. */
interface Message {
  readonly id: string;
  readonly from?: string;
  readonly until?: unknown;
  readonly body?: unknown;
  readonly refused?: unknown;
  readonly frames?: unknown;
}

function readHeader(message: unknown): Message | UnreadableMessage {
  const { v, id, from } = membersOf(message);
  const isMessage = Number.isSafeInteger(v) && isText(id) && (from === undefined || isText(from));
  if (!isMessage) return { why: 'it is not a message' };
  if ((v as number) <= version) return message as Message;
  return { id, from, why: `it has version ${v}, but this release reads only ${version}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
