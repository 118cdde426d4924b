import type { z } from 'zod';
import type { ErrorCode } from '../domain/errors.ts';

/** One method of one path, as the description tells of it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As OpenAPI writes it: `/api/orders/{id}`. */
  readonly path: string;
  /** Unique; links name their target by it. */
  readonly operationId: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: Body;
  /** What it answers when all goes well, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What it refuses with, besides what any request may meet; each code brings its status. */
  readonly problems: readonly ErrorCode[];
  /** Counted against a rate limit, of which every answer says what is left. */
  readonly isLimited?: true;
  /** Absent: open to everybody. */
  readonly security?: Security;
}

/** In the order in which they are shown. */
export const tags = {
  Packages: 'What is on sale, with live figures.',
  Orders: 'Buying, looking up and cancelling. An order is shown only to who knows both its id and its email.',
  Suppliers: 'The simulated airline and hotel. Anybody may reserve, in a world apart from real orders.',
  Admin: 'For operators with the admin token.',
  Operations: 'For load balancers, monitoring and tools.',
} as const;

export type Tag = keyof typeof tags;

/** Named in `securitySchemes`. `optional`: it also works without, and then does less. */
export interface Security {
  readonly scheme: SecurityScheme;
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

export type SecurityScheme = keyof typeof securitySchemes;

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

export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly example?: object;
  /** `application/json`, where there is a schema and nothing else is said. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, Header>>;
  /** What can be done next with what came back. */
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
