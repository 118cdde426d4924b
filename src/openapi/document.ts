import { z } from 'zod';
import type { ErrorCode } from '../domain/errors.ts';
import { defined } from '../lib/defined.ts';
import { answerSchema, componentSchemas, requestSchema } from './components.ts';
import {
  type Answer,
  type Headers,
  type Operation,
  type Parameter,
  securitySchemes,
  tags,
} from './operation.ts';
import { headersOf, problemAnswers, rateLimitHeaders, sharedAnswers } from './shared.ts';
import { webhooks } from './webhooks.ts';

interface ApiDescription {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly [member: string]: unknown;
}

const about = `Buying travel packages in a flash sale, and following each order to its outcome.

Every error is a problem (RFC 9457) with a \`code\`. A problem about an existing order contains the order.
Repeating a purchase with the same \`Idempotency-Key\` is always safe.

A body with duplicate members, a member named \`__proto__\`, or more than 32 levels of nesting is refused.

Packages and orders can be watched live over a WebSocket at \`/live\`, which \`/asyncapi.json\` describes.`;

/** The API in OpenAPI 3.1. */
export function openApiDocument(operations: readonly Operation[]): ApiDescription {
  const paths = [...Map.groupBy(operations, ({ path }) => path)].map(([path, group]) => [
    path,
    Object.fromEntries(group.map((operation) => [operation.method, describe(operation)])),
  ]);
  const used = new Set<string>(operations.map(({ tag }) => tag));
  return {
    openapi: '3.1.1',
    info: { title: 'Ticket Booking', version: '1.0.0', description: about },
    // This URL means the server that sent the description.
    servers: [{ url: '/' }],
    tags: Object.entries(tags)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(paths),
    webhooks: webhooks(),
    components: { schemas: componentSchemas(), responses: sharedAnswers(), securitySchemes },
  };
}

function describe(operation: Operation): object {
  const { operationId, tag, summary, description, parameters, body, answers, security } = operation;
  const headers = operation.isLimited ? rateLimitHeaders : {};
  const problems: ErrorCode[] = [...operation.problems];
  if (operation.isLimited) problems.push('rate_limited');
  // With an id that contains a slash the path is that of no route.
  if (operation.path.includes('{')) problems.push('unknown_route');
  return {
    operationId,
    tags: [tag],
    summary,
    ...defined({
      description,
      security: security && [...(security.optional ? [{}] : []), { [security.scheme]: [] }],
      parameters: parameters.length === 0 ? undefined : parameters.map(describeParameter),
      requestBody: body && {
        required: true,
        content: { 'application/json': { schema: requestSchema(body.schema), example: body.example } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer, headers)]),
      ),
      ...problemAnswers(problems, headers),
    },
  };
}

function describeParameter({ schema = z.string(), required, ...rest }: Parameter): object {
  const { description, ...shape } = requestSchema(schema);
  return {
    ...defined({ description, ...rest, required: required || rest.in === 'path' ? true : undefined }),
    schema: shape,
  };
}

function describeAnswer([description, schema, more = {}]: Answer, common: Headers): object {
  const { example, type = 'application/json', headers, links = {} } = more;
  const content = schema && { [type]: defined({ schema: answerSchema(schema), example }) };
  const following = Object.entries(links).map(([operationId, link]) => [
    operationId,
    { operationId, ...link },
  ]);
  return {
    description,
    ...headersOf({ ...headers, ...common }),
    ...defined({ content, links: following.length === 0 ? undefined : Object.fromEntries(following) }),
  };
}
