import { expect } from 'vitest';
import { z } from 'zod';
import { errorKind } from '../../src/domain/errors.ts';
import { problemContentType } from '../../src/http/problem.ts';
import { openApiDocument } from '../../src/openapi/document.ts';
import type { Operation } from '../../src/openapi/operation.ts';
import { allOperations as operations } from '../../src/openapi/routes.ts';

/* Validates answers against the OpenAPI document that the server serves, as an external tool would. */

/** The parts of an OpenAPI document that the checks read. */
export interface OpenApiDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Responses;
  };
}

type Responses = Readonly<Record<string, OpenApiResponse | { readonly $ref: string }>>;

interface OpenApiResponse {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: object }>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** Standard headers that the document does not describe. */
const usualHeaders = new Set([
  ...['cache-control', 'connection', 'content-length', 'content-security-policy', 'content-type', 'date'],
  ...['keep-alive', 'strict-transport-security', 'transfer-encoding', 'x-content-type-options'],
]);

const whole = asServed(openApiDocument(operations));

/** The described operation of a method and URL. */
export function operationAt(method: string, url: string): Operation | undefined {
  const { pathname } = new URL(url, 'http://localhost');
  return operations.find(
    (operation) => operation.method === method.toLowerCase() && patternOf(operation.path).test(pathname),
  );
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** The document as JSON, as a client reads it. */
export function asServed(document: unknown): OpenApiDescription {
  return JSON.parse(JSON.stringify(document)) as OpenApiDescription;
}

/** Expects that status, headers and body of an answer match the description of the operation. */
export async function expectMatchesOpenApi(
  { method, path, operationId }: Pick<Operation, 'method' | 'path' | 'operationId'>,
  response: Response,
  description = whole,
): Promise<void> {
  const text = await response.clone().text();
  const where = `${operationId} ${response.status} ${text.slice(0, 500)}`;
  const found = description.paths[path]?.[method]?.responses[response.status];
  expect(found, where).toBeDefined();
  const { headers = {}, content } = resolved(found as object, description);
  for (const [name, header] of Object.entries(headers)) expectHeader(response, name, header, where);
  const told = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const untold = [...response.headers.keys()].filter((name) => !told.has(name) && !usualHeaders.has(name));
  expect(untold, where).toEqual([]);
  if (content === undefined) return expect(text).toBe('');
  const [type] = (response.headers.get('content-type') ?? '').split(';', 1) as [string];
  const schema = content[type]?.schema;
  expect(schema, `${where}\nas ${type}`).toBeDefined();
  const value: unknown = type.endsWith('json') ? JSON.parse(text) : text;
  const { error } = schemaValidator(schema as object, description.components.schemas).safeParse(value);
  expect(error === undefined ? '' : `${where}\n${z.prettifyError(error)}`).toBe('');
  if (type === problemContentType) expectOwnStatus(value as { code: never; status: number }, response.status);
}

function resolved(answer: object, { components }: OpenApiDescription): OpenApiResponse {
  if (!('$ref' in answer)) return answer as OpenApiResponse;
  const name = String(answer.$ref).replace('#/components/responses/', '');
  return components.responses[name] as OpenApiResponse;
}

function expectHeader(
  response: Response,
  name: string,
  { required = false, schema }: { readonly required?: boolean; readonly schema: object },
  where: string,
): void {
  const text = response.headers.get(name);
  if (text === null) return expect(required ? `${name} is missing: ${where}` : '').toBe('');
  const value = 'type' in schema && schema.type === 'integer' ? Number(text) : text;
  expect(
    schemaValidator(schema, whole.components.schemas).safeParse(value).error,
    `${name}: ${text}`,
  ).toBeUndefined();
}

/** Expects that a problem's status matches its code and the HTTP status. */
function expectOwnStatus({ code, status }: { code: never; status: number }, answered: number): void {
  expect(status).toBe(answered);
  expect(errorKind(code).status).toBe(answered);
}

const validators = new Map<string, z.ZodType>();

/** A validator of a schema that may refer to `#/components/schemas`. */
export function schemaValidator(schema: object, schemas: Readonly<Record<string, object>>): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: schemas });
  let known = validators.get(text);
  if (known === undefined) {
    const inPlace = text.replaceAll('#/components/schemas/', '#/$defs/');
    known = z.fromJSONSchema(JSON.parse(inPlace, withoutRelativeAddresses));
    validators.set(text, known);
  }
  return known;
}

/** Removes the format `uri-reference`, because Zod reads it as an absolute URL. Schemathesis checks this format. */
function withoutRelativeAddresses(key: string, value: unknown): unknown {
  return key === 'format' && value === 'uri-reference' ? undefined : value;
}
