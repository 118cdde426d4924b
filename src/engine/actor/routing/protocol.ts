import { z } from 'zod';
import { type ErrorCode, errorCatalogue } from '../../../domain/errors.ts';
import type { Answer, NotOwner } from '../../../domain/messages.ts';
import type { Order } from '../../../domain/order.ts';
import type { TravelPackage } from '../../../domain/travel-package.ts';
import { isText, type Json, membersOf } from '../../../lib/json.ts';
import type { Command } from '../../commands.ts';
import type { PeerRequest } from '../../operated-engine.ts';

/**
 * The messages between instances, as JSON. `v` is the version of the format. A receiver ignores unknown members, and
 * answers a greater version with `elsewhere`, so that two releases can run side by side.
 */
const version = 1;

/** The most packages that one message may name: a receiver does not read a greater one. */
export const packageIdsMax = 10_000;

/** The longest texts of a purchase, in UTF-16 code units. */
const idMax = 64;
const emailMax = 320;
const keyMax = 255;
/** The longest code of a language (BCP 47, section 4.4.1). */
const languageMax = 35;
/** The longest that a sender waits for an answer. */
const timeoutMaxMs = 60_000;

const id = z.string().min(1).max(idMax);
/** The sender's span in a trace. An invalid value is dropped, and the message is accepted. */
const trace = z.string().max(64).optional().catch(undefined);
const command = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('purchase'),
    orderId: id,
    email: z.string().max(emailMax),
    key: z.string().max(keyMax).optional(),
    language: z.string().max(languageMax).optional(),
    inDoubt: z.boolean().optional(),
    trace,
  }),
  z.object({ kind: z.literal('cancel'), orderId: id, trace }),
  z.object({
    kind: z.literal('amend'),
    version: z.int(),
    flight: z.string().optional(),
    stay: z.string().optional(),
    price: z.number().optional(),
    quota: z.int().min(0).optional(),
    opensAt: z.number().nullable().optional(),
    closesAt: z.number().nullable().optional(),
    paused: z.boolean().optional(),
    listed: z.boolean().optional(),
    archived: z.literal(true).optional(),
    inDoubt: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('retry'), orderId: id }),
  z.object({
    kind: z.literal('erase'),
    email: z.string().max(emailMax),
    erasures: z
      .array(
        z.object({ orderId: id, email: z.string().max(emailMax), key: z.string().max(keyMax).optional() }),
      )
      .max(1_000),
  }),
]);

const request = z.discriminatedUnion('kind', [
  z.object({
    v: z.literal(version),
    kind: z.literal('command'),
    packageId: z.int(),
    patienceMs: z.number().min(0).max(timeoutMaxMs),
    command,
  }),
  z.object({ v: z.literal(version), kind: z.literal('withdraw'), packageId: z.int(), orderId: id }),
  z.object({
    v: z.literal(version),
    kind: z.literal('wake'),
    packageIds: z.array(z.int()).max(packageIdsMax),
  }),
  z.object({
    v: z.literal(version),
    kind: z.literal('unable'),
    packageIds: z.array(z.int()).max(packageIdsMax),
  }),
  z.object({ v: z.literal(version), kind: z.literal('status') }),
  z.object({ v: z.literal(version), kind: z.literal('drain') }),
]);

/** A request from another instance. */
export type InstanceRequest =
  | { kind: 'command'; packageId: number; patienceMs: number; command: Command }
  | { kind: 'withdraw'; packageId: number; orderId: string }
  | { kind: 'wake'; packageIds: readonly number[] }
  /** The sender cannot own these packages. */
  | { kind: 'unable'; packageIds: readonly number[] }
  | PeerRequest;

/** Kinds with a different name on the wire, because older releases expect that name. */
const wireKinds: ReadonlyMap<string, string> = new Map([
  ['update', 'amend'],
  ['updated', 'amended'],
  ['notOwner', 'elsewhere'],
]);
const kindsFromWire = new Map([...wireKinds].map(([kind, onWire]) => [onWire, kind]));

function renameKind<T extends { readonly kind: string }>(names: ReadonlyMap<string, string>, body: T): T {
  const kind = names.get(body.kind);
  return kind === undefined ? body : { ...body, kind };
}

export function encodeRequest(body: InstanceRequest): Json {
  const command = body.kind === 'command' && { command: renameKind(wireKinds, body.command) };
  return { v: version, ...body, ...command } as unknown as Json;
}

/** Undefined if this release does not understand the request. */
export function decodeRequest(json: Json): InstanceRequest | undefined {
  const purchase = decodePurchase(json);
  if (purchase !== undefined) return purchase;
  const parsed = request.safeParse(json);
  if (!parsed.success) return undefined;
  const body = parsed.data;
  if (body.kind !== 'command') return body;
  return { ...body, command: renameKind(kindsFromWire, body.command) as Command };
}

/**
 * Decodes a usual purchase without the schema, which costs more than the rest of the hop. Undefined for everything else,
 * which is left to the schema: also what is unusual, wrong or new about a purchase.
 */
function decodePurchase(json: Json): InstanceRequest | undefined {
  const { v, kind, packageId, patienceMs, command } = membersOf(json);
  const { kind: what, orderId, email, key, language, inDoubt, trace } = membersOf(command);
  const isUsual =
    v === version &&
    kind === 'command' &&
    what === 'purchase' &&
    Number.isSafeInteger(packageId) &&
    typeof patienceMs === 'number' &&
    patienceMs >= 0 &&
    patienceMs <= timeoutMaxMs &&
    isId(orderId) &&
    isText(email, emailMax) &&
    (key === undefined || isText(key, keyMax)) &&
    (language === undefined || isText(language, languageMax)) &&
    (inDoubt === undefined || typeof inDoubt === 'boolean') &&
    trace === undefined;
  if (!isUsual) return undefined;
  const purchase = {
    ...{ kind: 'purchase' as const, orderId, email },
    ...(key === undefined ? {} : { key }),
    ...(language === undefined ? {} : { language }),
    ...(inDoubt === undefined ? {} : { inDoubt }),
  };
  return { kind: 'command', packageId: packageId as number, patienceMs, command: purchase };
}

/** Decodes the answer to a purchase without the schema. Undefined for everything else, which is left to the schema. */
function decodeAccepted(json: Json): InstanceAnswer | undefined {
  const { v, kind, order } = membersOf(json);
  const { id: orderId, packageId, status } = membersOf(order);
  const isUsual =
    v === version &&
    kind === 'accepted' &&
    isId(orderId) &&
    Number.isSafeInteger(packageId) &&
    typeof status === 'string';
  return isUsual ? { kind: 'accepted', order: order as unknown as Order } : undefined;
}

function isId(value: unknown): value is string {
  return isText(value, idMax) && value !== '';
}

const code = z.string().refine((text): text is ErrorCode => Object.hasOwn(errorCatalogue, text));
/** Orders and packages come from the store of another instance, so only their main members are checked. */
const order = z.looseObject({ id, packageId: z.int(), status: z.string() }) as unknown as z.ZodType<Order>;
const travelPackage = z.looseObject({ id: z.int(), quota: z.int() }) as unknown as z.ZodType<TravelPackage>;
const answer = z.discriminatedUnion('kind', [
  z.object({ v: z.literal(version), kind: z.literal('accepted'), order }),
  z.object({ v: z.literal(version), kind: z.literal('amended'), package: travelPackage }),
  z.object({ v: z.literal(version), kind: z.literal('erased'), left: z.int() }),
  z.object({ v: z.literal(version), kind: z.literal('refused'), code, order: order.optional() }),
  z.object({ v: z.literal(version), kind: z.literal('elsewhere') }),
  z.object({ v: z.literal(version), kind: z.literal('done') }),
  z.object({ v: z.literal(version), kind: z.literal('status'), status: z.unknown() }),
]);

export type InstanceAnswer =
  | Answer
  | NotOwner
  | { readonly kind: 'done' }
  /** The status of the instance. The receiver checks it. */
  | { readonly kind: 'status'; readonly status: Json };

export function encodeAnswer(body: InstanceAnswer): Json {
  return { v: version, ...renameKind(wireKinds, body) } as unknown as Json;
}

/** Decodes an answer. An answer that this release does not understand counts as `notOwner`. */
export function decodeAnswer(json: Json): InstanceAnswer {
  const accepted = decodeAccepted(json);
  if (accepted !== undefined) return accepted;
  const parsed = answer.safeParse(json);
  if (!parsed.success) return { kind: 'notOwner' };
  const { v: _, ...body } = parsed.data;
  return renameKind(kindsFromWire, body) as InstanceAnswer;
}
