import { randomBytes } from 'node:crypto';
import type { ClosedLoop, RequestTemplate } from '../testbed.ts';
import { zipf } from './zipf.ts';

/** An order that this client has bought. */
export interface BoughtOrder {
  readonly id: string;
  readonly email: string;
}

/** Returns complete requests for one origin as text. Every purchase has a unique email and key. */
export type RequestMaker = () => string;

/** A fixed number of digits in emails and keys gives all requests the same length. */
const digits = 9;

/** Generates emails and keys that no other client uses. */
export class UniqueNames {
  readonly #prefix = randomBytes(5).toString('hex');
  #count = 0;

  next(): string {
    this.#count += 1;
    return this.#prefix + String(this.#count).padStart(digits, '0');
  }
}

/** One maker for each origin of a load, in their order. */
export function requestMakers(
  { origins, request }: Pick<ClosedLoop, 'origins' | 'request'>,
  names: UniqueNames,
  bought: readonly BoughtOrder[],
): RequestMaker[] {
  return origins.map((origin, index) => {
    const packages =
      request.spread === 'hashed'
        ? request.packages.filter((id) => id % origins.length === index)
        : request.packages;
    return requestMaker(new URL(origin), { ...request, packages }, names, bought);
  });
}

/** @param bought the orders for `look-up`; at least one. */
export function requestMaker(
  origin: URL,
  request: RequestTemplate,
  names: UniqueNames,
  bought: readonly BoughtOrder[] = [],
): RequestMaker {
  const draw = zipf(request.packages.length, request.zipf ?? 0);
  const packageId = () => request.packages[draw()] as number;
  switch (request.kind) {
    case 'buy':
      return purchases(origin, request, names, packageId);
    case 'look-up': {
      const requests = bought.map(({ id, email }) =>
        get(origin, `/api/orders/${id}?email=${encodeURIComponent(email)}`, request),
      );
      return () => requests[Math.floor(Math.random() * requests.length)] as string;
    }
    case 'package':
      return () => get(origin, `/api/packages/${packageId()}`, request);
  }
}

function purchases(
  origin: URL,
  { keys = true, prefer, headers = [], spread }: RequestTemplate,
  names: UniqueNames,
  packageId: () => number,
): RequestMaker {
  const head =
    ` HTTP/1.1\r\nHost: ${origin.host}\r\nContent-Type: application/json\r\n` +
    (prefer === undefined ? '' : `Prefer: ${prefer}\r\n`) +
    linesOf(headers);
  return () => {
    const name = names.next();
    const id = packageId();
    const email = `"email":"${name}@buyers.example"`;
    // A proxy can hash by the package's own address.
    const [path, body] =
      spread === 'hashed'
        ? [`/api/packages/${id}/orders`, `{${email}}`]
        : ['/api/orders', `{"packageId":${id},${email}}`];
    const key = keys ? `Idempotency-Key: ${name}\r\n` : '';
    return `POST ${path}${head}${key}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
}

function get(origin: URL, path: string, { headers = [] }: RequestTemplate): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${origin.host}\r\n${linesOf(headers)}\r\n`;
}

function linesOf(headers: NonNullable<RequestTemplate['headers']>): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

/** Parses the order of a 201; undefined if the answer has none. */
export function boughtIn(body: Buffer): BoughtOrder | undefined {
  try {
    const { id, email } = JSON.parse(body.toString()) as Partial<BoughtOrder>;
    return typeof id === 'string' && typeof email === 'string' ? { id, email } : undefined;
  } catch {
    return undefined;
  }
}

/** Finds the code of a problem without parsing the whole body. */
export function codeIn(body: Buffer): string {
  return /"code":\s*"(\w+)"/.exec(body.toString('latin1'))?.[1] ?? '';
}
