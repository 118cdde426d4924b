import type { Context } from 'hono';
import type { z } from 'zod';
import { type FieldError, ProblemError } from './problem.ts';
import { parseStrictJson } from './strict-json.ts';

/*
 * Reads request bodies. Stricter than Hono's body parsers: limits the size while reading, and refuses unknown media
 * types, invalid UTF-8, duplicate names and `__proto__`.
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
  requireType(c, ['application/json'], '+json');
  const checked = check(schema, parseBody(decode(await readBytes(c))));
  if ('errors' in checked) throw new ProblemError('invalid', { errors: checked.errors });
  return checked.value;
}

/** A form's fields as they were sent, so that a page can show them again, with the result of the validation. */
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
  const encoding = c.req.header('content-encoding') ?? 'identity';
  if (encoding.trim().toLowerCase() !== 'identity') {
    throw new ProblemError('unsupported_media_type', { detail: 'Send the body without a Content-Encoding.' });
  }
  return type;
}

async function readBytes(c: Context): Promise<Uint8Array> {
  try {
    // Node's parser reads no more than the declared length, so a small body can be read in one go, which is fastest.
    const declared = c.req.header('content-length');
    if (declared === undefined || c.req.header('transfer-encoding') !== undefined) {
      return await readCounting(c.req.raw.body);
    }
    if (Number(declared) > bodyBytesMax) throw tooLarge();
    return new Uint8Array(await c.req.arrayBuffer());
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('bad_request', { detail: 'The body was cut off.' });
  }
}

async function readCounting(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
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
