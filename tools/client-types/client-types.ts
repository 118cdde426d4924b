import { asyncApiDocument } from '../../src/openapi/async-document.ts';
import { openApiDocument } from '../../src/openapi/document.ts';
import { allOperations } from '../../src/openapi/routes.ts';
import { referencesIn, type Schema, typesOfSchemas } from './types-of-schemas.ts';

/** The file of the client, from the root of the repository. */
export const clientTypesFile = 'clients/typescript/src/api-types.ts';

const header = `/*
 * The types of the API. \`npm run client:types\` generates them from /openapi.json and /asyncapi.json: do not edit them.
 */

`;

/**
 * The text of {@link clientTypesFile}: the types of what customers send and get, of the live messages for programs, and of
 * webhooks.
 */
export function clientTypes(): string {
  const customers = allOperations.filter(({ tag }) => tag === 'Packages' || tag === 'Orders');
  const api = asServed(openApiDocument(customers)) as ApiDocument;
  const live = asServed(asyncApiDocument()) as Document;
  const schemas = { ...live.components.schemas, ...api.components.schemas };
  return (
    header +
    typesOfSchemas(schemas, [
      ...referencesIn([api.paths, api.webhooks]),
      ...['ClockUpdate', 'PackageUpdate', 'OrderUpdate'],
    ])
  );
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface ApiDocument extends Document {
  readonly paths: object;
  readonly webhooks: object;
}

function asServed(document: object): unknown {
  return JSON.parse(JSON.stringify(document));
}
