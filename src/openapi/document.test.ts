import type { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { adminToken, fakeApp } from '../../test/support/fake-app.ts';
import { type ErrorCode, errorCatalogue } from '../domain/errors.ts';
import { openApiDocument } from './document.ts';
import { allOperations as operations, operationsServed } from './routes.ts';
import { everyProblem } from './shared.ts';

const document = openApiDocument(operations);
const ids = operations.map(({ operationId }) => operationId);

/** Yields a value and every object inside it. */
function* objectsIn(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return;
  yield value as Readonly<Record<string, unknown>>;
  for (const member of Object.values(value)) yield* objectsIn(member);
}

describe('the description of the API', () => {
  it('describes all routes for programs and no other routes', () => {
    const served = fakeApp()
      .routes.filter(({ method, path }) => method !== 'ALL' && !isForPeople(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual([...new Set(served)].toSorted());
  });

  it('matches the 405 answers and their Allow header at every route', async () => {
    for (const [path, members] of Object.entries(document.paths)) {
      const answer = await fakeApp().request(path.replace(/\{\w+\}/g, '1'), {
        method: 'PUT',
        headers: { Authorization: `Bearer ${adminToken}` },
      });
      expect(answer.status, path).toBe(405);
      const allowed = (answer.headers.get('allow') ?? '').toLowerCase().split(', ');
      const expected = Object.keys(members);
      expect(allowed.filter((method) => !['head', 'options'].includes(method)).toSorted()).toEqual(
        expected.toSorted(),
      );
    }
  });

  it('has unique operation ids, and no broken references', () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const object of objectsIn(document)) {
      if (typeof object.$ref === 'string') expect(find(object.$ref), object.$ref).toBeDefined();
      if (object.links !== undefined) {
        for (const link of objectsIn(Object.values(object.links as object)))
          if ('operationId' in link) expect(ids).toContain(link.operationId);
      }
    }
  });

  it('describes every path parameter', () => {
    for (const { path, parameters = [] } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    }
  });

  it('describes every error that a program can get', () => {
    const told = new Set([...everyProblem, ...operations.flatMap(({ problems }) => problems)]);
    const untold = (Object.keys(errorCatalogue) as ErrorCode[]).filter((code) => !told.has(code));
    // Only WebSockets get the first one, and the description leaves WebSockets out. Payment providers give the others.
    expect(untold).toEqual(['upgrade_required', 'unknown_payment', 'payment_refused']);
  });

  it('describes every error answer as a problem with its codes, and Retry-After where it is always sent', () => {
    const responses = Object.values(document.paths)
      .flatMap((members) => Object.values(members) as { responses: Record<string, object> }[])
      .flatMap((member) => Object.entries(member.responses));
    for (const [status, answer] of responses) {
      expect(status).toMatch(/^[245]\d\d$/);
      if (status.startsWith('2')) continue;
      const { content, headers = {} } = ('$ref' in answer ? find(String(answer.$ref)) : answer) as {
        content: Record<
          string,
          { schema: { allOf: [object, { properties: { code: { enum: ErrorCode[] } } }] } }
        >;
        headers?: Record<string, { required?: boolean }>;
      };
      expect(Object.keys(content)).toEqual(['application/problem+json']);
      const codes = content['application/problem+json']?.schema.allOf[1].properties.code.enum ?? [];
      expect(codes.map((code) => String(errorCatalogue[code].status))).toEqual(codes.map(() => status));
      if (status === '405') expect(headers.Allow?.required).toBe(true);
      if (status === '429' || status === '503') expect(headers['Retry-After']?.required).toBe(true);
    }
  });

  it('describes RateLimit headers exactly where a limit applies', () => {
    for (const { path, method, isLimited } of operations) {
      const member = document.paths[path]?.[method] as { responses: Record<string, { headers?: object }> };
      const told = Object.keys(member.responses[429]?.headers ?? {});
      expect(told.includes('RateLimit'), `${method} ${path}`).toBe(isLimited === true);
    }
  });

  it('contains the schemas that validate requests', () => {
    expect(find('#/components/schemas/Purchase')).toMatchObject({
      required: ['packageId', 'email'],
      properties: { packageId: { type: 'integer', minimum: 1 }, email: { type: 'string', maxLength: 254 } },
    });
    expect(find('#/components/schemas/FlightReservationRequest')).toMatchObject({
      additionalProperties: false,
    });
  });

  it('has only examples that its schemas accept', () => {
    for (const { body, answers } of operations) {
      if (body !== undefined) body.schema.parse(body.example);
      for (const [, schema, more] of Object.values(answers))
        if (more?.example !== undefined) expect(schema?.parse(more.example)).toEqual(more.example);
    }
  });

  it('omits the operators’ API without an admin token', () => {
    const paths = operationsServed({ hasAdmin: false, hasPayments: false, publicSuppliers: true }).map(
      ({ path }) => path,
    );
    expect(paths).toContain('/api/orders');
    expect(paths.filter((path) => path.startsWith('/api/admin'))).toEqual([]);
  });

  it('demands the suppliers’ token for reservations where the public may not make any', async () => {
    const path = '/api/suppliers/flights/reservations';
    const securityAt = async (app: Hono) => {
      const described = (await (await app.request('/openapi.json')).json()) as typeof document;
      return (described.paths[path]?.post as { security?: unknown } | undefined)?.security;
    };
    expect(await securityAt(fakeApp())).toEqual([{}, { suppliersToken: [] }]);
    const closed = fakeApp({ settings: { publicSuppliers: false } });
    expect(await securityAt(closed)).toEqual([{ suppliersToken: [] }]);
    expect(await closed.request(path, { method: 'POST' })).toMatchObject({ status: 401 });
  });

  it('is served as JSON', async () => {
    const payments = { lookUp: async () => ({ kind: 'refused', code: 'no_owner' }) as const };
    const answer = await fakeApp({ payments }).request('/openapi.json');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(document)));
  });
});

/** Whether a path belongs to pages, their assets or their socket. All other routes are for programs. */
function isForPeople(path: string): boolean {
  return /^\/($|(order|order-queue|orders|query|assets|docs|live|admin)($|\/))/.test(path);
}

/** Resolves a reference within the document. */
function find(reference: string): unknown {
  return reference
    .replace('#/', '')
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
}
