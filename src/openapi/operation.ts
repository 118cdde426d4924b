import { z } from 'zod';
import { instanceIdInput } from '../admin/api/schemas.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { packageIdField, storedKey } from '../http/inputs.ts';
import { defined } from '../lib/defined.ts';

/** One method of one path, as `/openapi.json` describes it. */
export interface Operation {
  readonly method: Method;
  /** As in OpenAPI: `/api/orders/{id}`. */
  readonly path: string;
  /** Unique; links refer to it. */
  readonly operationId: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  /** The answers on success, by status. */
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** The errors of this operation, besides those of every request. Their statuses come from the error catalogue. */
  readonly problems: readonly ErrorCode[];
  /** Counted against a rate limit, so every answer has `RateLimit` headers. */
  readonly isLimited: boolean;
  /** Omitted for operations without authentication. */
  readonly security?: Security;
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** In the order in which `/docs` shows them. */
export const tags = {
  Packages: 'The packages on sale, with their current inventory.',
  Orders:
    'Buying, looking up and cancelling. An order is shown only to callers that know its id and its email.',
  Suppliers: 'The simulated airline and hotel. Anybody may reserve, separately from real orders.',
  Admin: 'For operators with the admin token.',
  Operations: 'For load balancers, monitoring and tools.',
} as const;

export type Tag = keyof typeof tags;

/** With `optional`, the operation also works without authentication, but does less. */
export interface Security {
  readonly scheme: keyof typeof securitySchemes;
  readonly optional?: true;
}

export const securitySchemes = {
  suppliersToken: { type: 'http', scheme: 'bearer', description: 'The setting SUPPLIERS_TOKEN.' },
  adminToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The setting ADMIN_TOKEN. A browser that is signed in at /admin needs none.',
  },
} as const;

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly schema: z.ZodType;
  readonly description?: string;
  readonly required?: true;
  readonly example?: string;
}

export interface Body {
  readonly schema: z.ZodType;
  readonly example: object;
}

export interface AnswerDescription {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly example?: object;
  /** The media type. Default: `application/json`. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, Header>>;
  /** Operations that can follow, with parameters from this answer. */
  readonly links?: Readonly<Record<string, Link>>;
}

export interface Header {
  readonly description: string;
  readonly schema: z.ZodType;
  readonly required?: true;
}

/** Values are runtime expressions of OpenAPI, such as `$response.body#/id`. */
export interface Link {
  readonly operationId: string;
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly requestBody?: Readonly<Record<string, string>>;
}

/** The parts of an operation that cannot be derived from its method, path, tag and schemas. */
export interface Definition extends Pick<Operation, 'operationId' | 'summary'> {
  readonly description?: string;
  /** Header parameters, and query parameters that are not in `query`. */
  readonly parameters?: readonly Parameter[];
  /** The schema that validates the whole query. */
  readonly query?: z.ZodObject;
  readonly body?: Body;
  /** By status: description, schema, and the rest. */
  readonly answers: Readonly<
    Record<number, readonly [string, z.ZodType?, Omit<AnswerDescription, 'description' | 'schema'>?]>
  >;
  readonly problems?: readonly ErrorCode[];
  readonly isLimited?: true;
  readonly security?: Security;
}

/** Completes the definitions of a tag's operations, which are named by method and path: `get /api/packages`. */
export function defineOperations(
  tag: Tag,
  definitions: Readonly<Record<`${Method} /${string}`, Definition>>,
): readonly Operation[] {
  return Object.entries(definitions).map(([route, definition]) => {
    const [method, path] = route.split(' ') as [Method, string];
    const { parameters = [], query, answers, problems = [], isLimited = false, ...rest } = definition;
    const resources = [...path.matchAll(/(\w+)\/\{\w+\}/g)].map((match) => resourceOf(match[1] as string));
    const inQuery = Object.entries(query?.shape ?? {}).map(
      ([name, schema]) => ({ in: 'query', name, schema: schema as z.ZodType }) as const,
    );
    return {
      method,
      path,
      tag,
      isLimited,
      ...(tag === 'Admin' ? { security: { scheme: 'adminToken' } as const } : {}),
      ...rest,
      parameters: [...resources.map(({ parameter }) => parameter), ...parameters, ...inQuery],
      answers: Object.fromEntries(
        Object.entries(answers).map(([status, [description, schema, more]]) => [
          status,
          { description, ...defined({ schema }), ...more },
        ]),
      ),
      problems: [
        ...(rest.body === undefined ? [] : bodyProblems),
        ...(inQuery.length === 0 ? [] : (['invalid'] as const)),
        ...resources.map(({ missing }) => missing),
        ...problems,
        ...problemsOf(tag, method),
      ],
    };
  });
}

/** The errors of every request with a body. */
const bodyProblems: readonly ErrorCode[] = ['invalid', 'body_too_large', 'unsupported_media_type'];

/** The errors that all operations of a tag have in common. */
function problemsOf(tag: Tag, method: Method): readonly ErrorCode[] {
  if (tag === 'Operations') return [];
  if (tag === 'Suppliers') return ['unauthorized', 'store_unavailable'];
  if (tag !== 'Admin') return ['store_unavailable'];
  const read: readonly ErrorCode[] = ['unauthorized', 'rate_limited', 'store_unavailable'];
  // Browser sessions are only accepted from our own pages.
  return method === 'get' ? read : [...read, 'cross_site'];
}

interface Resource {
  readonly parameter: Parameter;
  /** The error when there is none with this id. */
  readonly missing: ErrorCode;
}

const resources: Readonly<Record<string, Resource>> = {
  packages: {
    parameter: { in: 'path', name: 'id', schema: packageIdField, example: '1' },
    missing: 'unknown_package',
  },
  orders: {
    parameter: {
      in: 'path',
      name: 'id',
      schema: z.string(),
      description: "The order's id; its case and its dashes do not matter.",
      example: '7Q4M-9XKD-2VBN-H5TR',
    },
    missing: 'unknown_order',
  },
  instances: {
    parameter: { in: 'path', name: 'id', schema: instanceIdInput, example: 'instance-2' },
    missing: 'unknown_instance',
  },
  reservations: { parameter: { in: 'path', name: 'key', schema: storedKey }, missing: 'invalid' },
};

/** The resource of a path such as `/api/orders/{id}`. @throws Error for an unknown one. */
function resourceOf(name: string): Resource {
  const resource = resources[name];
  if (resource === undefined) throw new Error(`unknown resource: ${name}`);
  return resource;
}
