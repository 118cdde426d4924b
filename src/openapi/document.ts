import type { ErrorCode } from '../domain/errors.ts';
import { defined } from '../lib/defined.ts';
import { type Components, createComponents } from './components.ts';
import {
  type AnswerDescription,
  type Header,
  type Operation,
  type Parameter,
  type Security,
  securitySchemes,
  tags,
} from './operation.ts';
import { headersOf, problemAnswers, rateLimitHeaders, sharedAnswers } from './shared.ts';

interface ApiDescription {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly [member: string]: unknown;
}

const about = `Buying travel packages in a flash sale, and following each order to its outcome.

Every error is a problem (RFC 9457) with a \`code\`. A problem about an existing order contains the order.
Repeating a purchase with the same \`Idempotency-Key\` is always safe.

A body with duplicate members, a member named \`__proto__\`, or more than 32 levels of nesting is refused.

Live inventory comes over a WebSocket at \`/live?topic=packages\`, which OpenAPI cannot describe.`;

/** The API in OpenAPI 3.1. */
export function openApiDocument(operations: readonly Operation[]): ApiDescription {
  const components = createComponents();
  const paths = [...Map.groupBy(operations, ({ path }) => path)].map(([path, group]) => [
    path,
    Object.fromEntries(group.map((operation) => [operation.method, describe(operation, components)])),
  ]);
  const used = new Set<string>(operations.map(({ tag }) => tag));
  return {
    openapi: '3.1.1',
    info: { title: 'Ticket Booking', version: '1.0.0', description: about },
    // The server that sent the description.
    servers: [{ url: '/' }],
    tags: Object.entries(tags)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(paths),
    components: { schemas: components.schemas, responses: sharedAnswers(components), securitySchemes },
  };
}

function describe(operation: Operation, components: Components): object {
  const { operationId, tag, summary, description, parameters, body, answers, security } = operation;
  const headers = operation.isLimited ? rateLimitHeaders : {};
  const problems: ErrorCode[] = [...operation.problems];
  if (operation.isLimited) problems.push('rate_limited');
  // An id with a slash leads to another route.
  if (operation.path.includes('{')) problems.push('unknown_route');
  return {
    operationId,
    tags: [tag],
    summary,
    ...defined({
      description,
      security: security && requirements(security),
      parameters:
        parameters.length === 0 ? undefined : parameters.map((each) => describeParameter(each, components)),
      requestBody: body && {
        required: true,
        content: { 'application/json': { schema: components.request(body.schema), example: body.example } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [
          status,
          describeAnswer(answer, headers, components),
        ]),
      ),
      ...problemAnswers(problems, headers, components),
    },
  };
}

function requirements({ scheme, optional }: Security): object[] {
  return [...(optional ? [{}] : []), { [scheme]: [] }];
}

function describeParameter({ schema, required, ...rest }: Parameter, components: Components): object {
  const { description, ...shape } = components.request(schema);
  return {
    ...defined({ description, ...rest, required: required || rest.in === 'path' ? true : undefined }),
    schema: shape,
  };
}

function describeAnswer(
  { description, schema, example, type = 'application/json', headers, links }: AnswerDescription,
  common: Readonly<Record<string, Header>>,
  components: Components,
): object {
  const content = schema && { [type]: defined({ schema: components.answer(schema), example }) };
  return { description, ...headersOf({ ...headers, ...common }, components), ...defined({ content, links }) };
}
