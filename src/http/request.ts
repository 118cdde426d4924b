import type { Context } from 'hono';
import { z } from 'zod';
import { bindings } from './bindings.ts';
import { keyBytesMax, keyInput } from './inputs.ts';
import { type FieldError, ProblemError } from './problem.ts';

/*
 * Reads requests: bodies, and the headers `Idempotency-Key` and `Prefer`. The code for bodies is our own because it is
 * stricter than Hono's body parsers: it limits the size while it reads, and refuses unknown media types, invalid UTF-8,
 * duplicate names and `__proto__`.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The largest body, in bytes, that any request may have. */
export const bodyBytesMax = 16 * 1024;

/**
 * Reads the JSON body and validates it. Members that the schema does not define are dropped.
 * @throws ProblemError 413 above {@link bodyBytesMax}, 415 for another media type, 422 with `errors` when the body does
 * not fit the schema.
 */
export async function readJson<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  return checkedJson(await readJsonText(c), schema);
}

/**
 * Reads the JSON body as it was sent, for a check of its signature.
 * @throws ProblemError 413 and 415, as {@link readJson}.
 */
export async function readJsonText(c: Context): Promise<string> {
  requireType(c, ['application/json'], '+json');
  return decode(await readBytes(c));
}

/**
 * Validates JSON that was read by {@link readJsonText}.
 * @throws ProblemError 422 with `errors` when the JSON does not fit the schema.
 */
export function checkedJson<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  const checked = check(schema, parseBody(text));
  if ('errors' in checked) throw new ProblemError('invalid', { errors: checked.errors });
  return checked.value;
}

/**
 * Reads the query of the URL and validates it.
 * @throws ProblemError 422 with `errors` when the query does not fit the schema, or has a parameter twice.
 */
export function readQuery<Schema extends z.ZodType>(c: Context, schema: Schema): z.output<Schema> {
  const twice = Object.entries(c.req.queries()).filter(([, values]) => values.length > 1);
  if (twice.length > 0) {
    throw new ProblemError('invalid', {
      errors: twice.map(([path]) => ({ path, message: 'must be there only once' })),
    });
  }
  const checked = check(schema, c.req.query());
  if ('value' in checked) return checked.value;
  throw new ProblemError('invalid', { errors: checked.errors });
}

/** The result of validating a form, and its fields as they were sent, so that a page can show them again. */
type CheckedForm<Value> = { readonly fields: Readonly<Record<string, string>> } & Checked<Value>;

export type Checked<Value> = { readonly value: Value } | { readonly errors: readonly FieldError[] };

/**
 * Reads a form, urlencoded or multipart. The schema's errors are returned, not thrown.
 * @throws ProblemError 413 above {@link bodyBytesMax}, 415 for another media type, 422 when the form is malformed,
 * contains a file, or contains a field twice.
 */
export async function readForm<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<CheckedForm<z.output<Schema>>> {
  const type = requireType(c, ['application/x-www-form-urlencoded', 'multipart/form-data']);
  const bytes = await readBytes(c);
  const fields = fieldsOf(
    type === 'multipart/form-data'
      ? await parseMultipart(bytes, c.req.header('content-type') as string)
      : new URLSearchParams(decode(bytes)),
  );
  return { fields, ...check(schema, fields) };
}

/** Validates an input; errors have the shape that problems and pages show. */
export function check<Schema extends z.ZodType>(schema: Schema, input: unknown): Checked<z.output<Schema>> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { value: parsed.data };
  return {
    errors: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
  };
}

/** Returns the media type without its parameters, in lower case. @throws ProblemError 415 for any other type. */
function requireType(c: Context, allowed: readonly string[], suffix?: string): string {
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const fits = allowed.includes(type) || (suffix !== undefined && type.endsWith(suffix));
  if (!fits) {
    throw new ProblemError('unsupported_media_type', { detail: `Send the body as ${allowed.join(' or ')}.` });
  }
  const encoding = headerOf(c, 'content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new ProblemError('unsupported_media_type', { detail: 'Send the body without a Content-Encoding.' });
  }
  return type;
}

/**
 * Reads a header from Node's request. Hono would check its name and value once more. Not for Content-Type: of
 * repeated headers Node keeps only the first. Node joins repeated headers of the other names, and refuses several lengths.
 */
function headerOf(
  c: Context,
  name: 'content-encoding' | 'content-length' | 'idempotency-key' | 'transfer-encoding',
): string | undefined {
  const { incoming } = bindings(c);
  const value = incoming === undefined ? c.req.header(name) : incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

async function readBytes(c: Context): Promise<Uint8Array> {
  const { incoming } = bindings(c);
  const length = declaredLength(c);
  if (length > bodyBytesMax) throw tooLarge();
  try {
    if (incoming === undefined) return await readCounting(c.req.raw.body ?? []);
    // Node hands over all bytes of a packet before this function continues. So nearly every body is there by then, and
    // one read takes all of it. The request's own iterator, and even more its `Request`, would cost far more.
    await undefined;
    // NaN (no declared length) always takes the counting path.
    if (incoming.readableLength !== length) {
      // An early end must not destroy the connection, which still has to carry the answer.
      return await readCounting(incoming.iterator({ destroyOnReturn: false }));
    }
    const bytes: Buffer | null = incoming.read();
    // Ends the stream: otherwise node-server would read on after the answer, with timers.
    incoming.resume();
    return bytes ?? new Uint8Array();
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('bad_request', { detail: 'The body was cut off.' });
  }
}

/** The length of the body if the caller has declared one, else NaN. Node's parser reads no more than the declared length. */
function declaredLength(c: Context): number {
  const declared = headerOf(c, 'content-length');
  return declared === undefined || headerOf(c, 'transfer-encoding') !== undefined
    ? Number.NaN
    : Number(declared);
}

async function readCounting(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  // Copied into one buffer. Otherwise a body that arrives byte by byte would become 16,000 small buffers.
  const bytes = Buffer.allocUnsafe(bodyBytesMax);
  let size = 0;
  for await (const chunk of body) {
    if (size + chunk.length > bodyBytesMax) throw tooLarge();
    bytes.set(chunk, size);
    size += chunk.length;
  }
  return bytes.subarray(0, size);
}

function tooLarge(): ProblemError {
  return new ProblemError('body_too_large', { detail: `A body has at most ${bodyBytesMax} bytes.` });
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid('The body is not UTF-8.');
  }
}

function parseBody(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (error) {
    throw invalid((error as SyntaxError).message);
  }
}

async function parseMultipart(bytes: Uint8Array, contentType: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw invalid('The body is not a well-formed multipart form.');
  }
}

function fieldsOf(entries: Iterable<[string, string | Blob]>): Record<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of entries) {
    if (typeof value !== 'string') throw invalid('must not be a file', name);
    if (name === '__proto__' || fields.has(name))
      throw invalid('is given twice or has a forbidden name', name);
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

function invalid(message: string, path = ''): ProblemError {
  return new ProblemError('invalid', { errors: [{ path, message }] });
}

/** No valid request is nested deeper. Deeper nesting may be an attack on the stack. */
const depthMax = 32;

/**
 * Parses JSON more strictly than `JSON.parse`. Refuses duplicate member names, which different parsers read
 * differently, the name `__proto__`, and more than {@link depthMax} levels of nesting. Attacks use all three.
 * @throws SyntaxError with a message for the caller.
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = parse(text);
  if (!isPlain(text, value)) checkMembers(text);
  return value;
}

const quote = 0x22;

/**
 * Whether the text is a flat object without escapes, with exactly as many quotes as its parsed members need. A
 * duplicate name leaves more quotes in the text than in the parsed object. Every normal purchase passes this check,
 * which takes a tenth of the time of the full check.
 */
function isPlain(text: string, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (text.includes('\\') || text.includes('__proto__') || text.includes('{', text.indexOf('{') + 1))
    return false;
  if (text.includes('[')) return false;
  let quotes = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) === quote) quotes += 1;
  const members = Object.values(value);
  const strings = members.filter((member) => typeof member === 'string').length;
  return quotes === 2 * (members.length + strings);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError('The body is not valid JSON.');
  }
}

/** Matches strings, together with the colon after a member's name, and matches brackets outside of strings. */
const tokens = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;

/** The full check of names and nesting, for text that is known to be valid JSON. */
function checkMembers(text: string): void {
  const seen: Set<string>[] = [];
  for (const [token, string, colon] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      seen.push(new Set());
      if (seen.length > depthMax) throw new SyntaxError(`The body is nested deeper than ${depthMax} levels.`);
    } else if (token === '}' || token === ']') {
      seen.pop();
    } else if (colon !== undefined) {
      checkName(JSON.parse(string as string) as string, seen.at(-1) as Set<string>);
    }
  }
}

function checkName(name: string, seen: Set<string>): void {
  if (name === '__proto__') throw new SyntaxError('A member must not be named __proto__.');
  if (seen.has(name)) throw new SyntaxError('A member is given twice.');
  seen.add(name);
}

const quoted = /^"(?<inner>(?:[^"\\]|\\["\\])*)"$/;

/** The `Idempotency-Key` header: the key, with or without quotes. */
export const idempotencyKeyHeader = z
  .string()
  .transform((header) => {
    const inner = quoted.exec(header)?.groups?.inner;
    return inner === undefined ? header : inner.replace(/\\(.)/g, '$1');
  })
  .pipe(keyInput)
  // An empty quoted string is not a valid key.
  .meta({ pattern: '^(?!""$)[\\x21-\\x7e]+$', maxLength: keyBytesMax });

/**
 * Reads the `Idempotency-Key`; undefined without the header. The IETF draft puts the key in quotes (RFC 8941), but most
 * clients do not: `"abc"` and `abc` are the same key.
 * @throws ProblemError 422 unless the key is 1 to 255 visible ASCII characters.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const header = headerOf(c, 'idempotency-key');
  if (header === undefined) return undefined;
  const checked = check(idempotencyKeyHeader, header);
  if ('value' in checked) return checked.value;
  const errors = checked.errors.map(({ message }) => ({ path: 'Idempotency-Key', message }));
  throw new ProblemError('invalid', { errors });
}

/** The preferences in `Prefer` (RFC 7240) that the API supports. */
export interface Preferences {
  readonly respondAsync: boolean;
  /** How long the caller wants to wait, in seconds. */
  readonly waitS?: number;
}

/**
 * One preference: a token with an optional value. Parameters after the value are ignored, because no supported
 * preference has any.
 */
const preference =
  /(?<=^|,)[\t ]*(?<name>[\w!#$%&'*+.^`|~-]+)(?:[\t ]*=[\t ]*(?:(?<token>[\w!#$%&'*+.^`|~-]+)|"(?<quoted>(?:[^"\\]|\\.)*)"))?[\t ]*(?=[,;]|$)/g;

/**
 * Ignores unknown and malformed preferences, as RFC 7240 requires. Of two preferences with the same name, the first
 * counts.
 */
export function parsePrefer(header: string | undefined): Preferences {
  if (header === undefined) return { respondAsync: false };
  const found = new Map<string, string>();
  // Empties quoted strings that contain a comma or semicolon. Inside quotes these characters do not separate
  // preferences, and no supported value contains them.
  const list = header.slice(0, 1000).replace(/"(?:[^"\\]|\\.)*[,;](?:[^"\\]|\\.)*"/g, '""');
  for (const { groups } of list.matchAll(preference)) {
    const name = (groups?.name ?? '').toLowerCase();
    if (!found.has(name)) found.set(name, groups?.token ?? groups?.quoted ?? '');
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.get('respond-async') === '',
    ...(/^\d{1,9}$/.test(wait) ? { waitS: Number(wait) } : {}),
  };
}

/** The longest wait for the outcome of a purchase, in seconds. Also the default. */
export const waitSMax = 10;

/** How long to wait for an outcome, in ms. Zero for `respond-async` without `wait`. */
export function waitMs({ respondAsync, waitS }: Preferences): number {
  return 1000 * Math.min(waitS ?? (respondAsync ? 0 : waitSMax), waitSMax);
}

/** `Preference-Applied`: the preferences that this answer followed; without any, there is no header. */
export function preferenceApplied(preferences: Preferences, status: number): Record<string, string> {
  const applied = [
    ...(preferences.respondAsync && status === 202 ? ['respond-async'] : []),
    ...(preferences.waitS === undefined ? [] : [`wait=${waitMs(preferences) / 1000}`]),
  ];
  return applied.length === 0 ? {} : { 'Preference-Applied': applied.join(', ') };
}
