import type { z } from 'zod';
import { instanceIdInput } from '../admin/api/schemas.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { packageIdField, storedKey } from '../http/inputs.ts';
import { idempotencyKeyHeader } from '../http/request.ts';

/** The parts of an operation that cannot be derived from its method, path, tag and schemas. */
export interface Definition {
  /** A unique name, which links refer to. */
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** The header parameters, and the query parameters that are not in `query`. */
  readonly parameters?: readonly Parameter[];
  /** The schema that validates the whole query. */
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly example: object };
  /** The answers on success, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The errors of this operation, besides the errors of every request. The error catalogue has their statuses. */
  readonly problems?: readonly ErrorCode[];
  /** The operation only reads, although its method is not GET. So it is for operators who may only read, too. */
  readonly onlyReads?: true;
  /** Whether a rate limit applies. Then every answer has `RateLimit` headers. */
  readonly isLimited?: true;
  /** How callers authenticate. Omitted for operations without authentication. */
  readonly security?: Security;
}

/** One method of one path, as `/openapi.json` describes it. */
export interface Operation extends Definition {
  readonly method: Method;
  /** The path in the notation of OpenAPI: `/api/orders/{id}`. */
  readonly path: string;
  readonly tag: Tag;
  /** All parameters, including those in the path and in the query. */
  readonly parameters: readonly Parameter[];
  /** All errors, including errors that follow from the parameters, the body and the tag. */
  readonly problems: readonly ErrorCode[];
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The tags, in the order in which `/docs` shows them. */
export const tags = {
  Packages: 'The packages on sale, with their current inventory.',
  Orders:
    'Buying, looking up and cancelling. An order is shown only to callers that know its id and its email.',
  Payments: 'For the payment provider. They exist while payments are on.',
  Suppliers: 'The simulated airline and hotel. Reservations without their token are apart from real orders.',
  Admin: 'For operators with a token. Those who may only read get 403 for every change.',
  Operations: 'For load balancers, monitoring and tools.',
} as const;

export type Tag = keyof typeof tags;

/** How callers authenticate. With `optional`, the operation also works without authentication, but does less. */
export interface Security {
  readonly scheme: keyof typeof securitySchemes;
  readonly optional?: true;
}

export const securitySchemes = {
  suppliersToken: { type: 'http', scheme: 'bearer', description: 'The setting SUPPLIERS_TOKEN.' },
  adminToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The setting ADMIN_TOKEN, or one in ADMIN_TOKENS. A browser that is signed in at /admin needs none.',
  },
} as const;

export interface Header {
  readonly description?: string;
  /** The schema of the parameter. Default: any string. */
  readonly schema?: z.ZodType;
  readonly required?: true;
}

export interface Parameter extends Header {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly example?: string;
}

/** An answer on success: its description, the schema of its body if it has one, and further details. */
export type Answer = readonly [
  description: string,
  schema?: z.ZodType,
  more?: {
    readonly example?: object;
    /** The media type. Default: `application/json`. */
    readonly type?: string;
    readonly headers?: Headers;
    readonly links?: Links;
  },
];

export type Headers = Readonly<Record<string, Header>>;

/** The operations that can follow, by id. The parameters are runtime expressions such as `$response.body#/id`. */
export type Links = Readonly<
  Record<
    string,
    {
      readonly parameters?: Readonly<Record<string, string>>;
      readonly requestBody?: Readonly<Record<string, string>>;
    }
  >
>;

/** Completes the definitions of a tag's operations, which are named by method and path: `get /api/packages`. */
export function defineOperations(
  tag: Tag,
  definitions: Readonly<Record<`${Method} /${string}`, Definition>>,
): readonly Operation[] {
  return Object.entries(definitions).map(([route, definition]) => {
    const [method, path] = route.split(' ') as [Method, string];
    const { parameters = [], query, body, problems = [], onlyReads = method === 'get' } = definition;
    const ofPath = [...path.matchAll(/(\w+)\/\{\w+\}/g)].map((match) => resourceOf(match[1] as string));
    const ofQuery = Object.entries(query?.shape ?? {}).map(
      ([name, schema]) => ({ in: 'query', name, schema: schema as z.ZodType }) as const,
    );
    return {
      ...(tag === 'Admin' ? { security: { scheme: 'adminToken' } as const } : {}),
      ...definition,
      ...{ method, path, tag },
      parameters: [...ofPath.map(({ parameter }) => parameter), ...parameters, ...ofQuery],
      problems: [
        ...(body === undefined ? [] : bodyProblems),
        ...(ofQuery.length === 0 ? [] : (['invalid'] as const)),
        ...ofPath.map(({ missing }) => missing),
        ...problems,
        ...problemsOf(tag, method, onlyReads),
      ],
    };
  });
}

/** The errors of every request with a body. */
const bodyProblems: readonly ErrorCode[] = ['invalid', 'body_too_large', 'unsupported_media_type'];

/** The errors that all operations of a tag have in common. */
function problemsOf(tag: Tag, method: Method, onlyReads: boolean): readonly ErrorCode[] {
  if (tag === 'Operations') return [];
  if (tag === 'Suppliers') return ['unauthorized', 'store_unavailable'];
  if (tag !== 'Admin') return ['store_unavailable'];
  const all: readonly ErrorCode[] = ['unauthorized', 'rate_limited', 'store_unavailable'];
  // Changes with a browser session are accepted only from our own pages.
  const unsafe: readonly ErrorCode[] = method === 'get' ? [] : ['cross_site'];
  return [...all, ...unsafe, ...(onlyReads ? [] : (['read_only'] as const))];
}

interface Resource {
  readonly parameter: Parameter;
  /** The error when there is no such resource. */
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

/** The resource of a path such as `/api/orders/{id}`. @throws Error for an unknown resource. */
function resourceOf(name: string): Resource {
  const resource = resources[name];
  if (resource === undefined) throw new Error(`unknown resource: ${name}`);
  return resource;
}

/** The `Idempotency-Key` header. */
export function idempotencyKeyParameter(description: string): Parameter {
  return {
    in: 'header',
    name: 'Idempotency-Key',
    schema: idempotencyKeyHeader,
    description: `${description} Fresh and random for every new request; quotes around it do not count.`,
    example: '2f1c8c4e-6b8a-4f0e-9a53-0d5a8d6a7c11',
  };
}
