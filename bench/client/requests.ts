import { randomBytes } from 'node:crypto';
import type { RequestPlan } from '../stage.ts';
import { zipf } from './zipf.ts';

/** An order that this client has bought. */
export interface Bought {
  readonly id: string;
  readonly email: string;
}

/** Makes whole requests for one origin, ready to be written: no two purchases share an email or a key. */
export type RequestMaker = () => string;

/** Digits of the counter in emails and keys: every request of a plan is then equally long. */
const digits = 9;

/** Makes emails and keys that no other client has made. */
export class Names {
  readonly #prefix = randomBytes(5).toString('hex');
  #count = 0;

  next(): string {
    this.#count += 1;
    return this.#prefix + String(this.#count).padStart(digits, '0');
  }
}

/** @param bought what `look-up` asks for; at least one. */
export function requestMaker(
  origin: URL,
  plan: RequestPlan,
  names: Names,
  bought: readonly Bought[] = [],
): RequestMaker {
  const draw = zipf(plan.packages.length, plan.zipf ?? 0);
  const packageId = () => plan.packages[draw()] as number;
  switch (plan.kind) {
    case 'buy':
      return purchases(origin, plan, names, packageId);
    case 'look-up': {
      const requests = bought.map(({ id, email }) =>
        get(origin, `/api/orders/${id}?email=${encodeURIComponent(email)}`, plan),
      );
      return () => requests[Math.floor(Math.random() * requests.length)] as string;
    }
    case 'package':
      return () => get(origin, `/api/packages/${packageId()}`, plan);
  }
}

function purchases(
  origin: URL,
  { keys = true, prefer, headers = [] }: RequestPlan,
  names: Names,
  packageId: () => number,
): RequestMaker {
  const start =
    `POST /api/orders HTTP/1.1\r\nHost: ${origin.host}\r\nContent-Type: application/json\r\n` +
    (prefer === undefined ? '' : `Prefer: ${prefer}\r\n`) +
    linesOf(headers);
  return () => {
    const name = names.next();
    const body = `{"packageId":${packageId()},"email":"${name}@buyers.example"}`;
    const key = keys ? `Idempotency-Key: ${name}\r\n` : '';
    return `${start}${key}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
}

function get(origin: URL, path: string, { headers = [] }: RequestPlan): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${origin.host}\r\n${linesOf(headers)}\r\n`;
}

function linesOf(headers: NonNullable<RequestPlan['headers']>): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** The order of a 201, or undefined where the answer shows none. */
export function boughtIn(body: Buffer): Bought | undefined {
  try {
    const { id, email } = JSON.parse(body.toString()) as Partial<Bought>;
    return typeof id === 'string' && typeof email === 'string' ? { id, email } : undefined;
  } catch {
    return undefined;
  }
}

/** The code of a problem, without parsing all of it. */
export function codeIn(body: Buffer): string {
  return /"code":\s*"(\w+)"/.exec(body.toString('latin1'))?.[1] ?? '';
}
