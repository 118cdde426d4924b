import { type Context, Hono } from 'hono';
import type { AppServices } from '../http/app-services.ts';
import { jsonHeaders, sendText } from '../http/json.ts';
import { serveRoutes } from '../http/methods.ts';
import type { RenderContext } from '../http/pages/layout.ts';
import { type Html, markup } from '../http/pages/markup.ts';
import { pageSecurity } from '../http/security.ts';
import { asyncApiDocument } from './async-document.ts';
import { openApiDocument } from './document.ts';
import type { Operation } from './operation.ts';
import { adminOperations } from './operations/admin.ts';
import { orderOperations, packageOperations } from './operations/customers.ts';
import { monitoringOperations } from './operations/monitoring.ts';
import { paymentOperations } from './operations/payments.ts';
import { supplierOperations } from './operations/suppliers.ts';

/**
 * The routes `GET /openapi.json` and `GET /asyncapi.json`, the descriptions, and `GET /docs`, a page that shows the first
 * one.
 */
export function descriptionRoutes(
  { admin, payments, settings }: Pick<AppServices, 'admin' | 'payments' | 'settings'>,
  assetUrl: RenderContext['assetUrl'],
): Hono {
  const { publicSuppliers = true } = settings;
  const operations = operationsServed({
    hasAdmin: admin !== undefined,
    hasPayments: payments !== undefined,
    publicSuppliers,
  });
  const description = servedOnce(() => openApiDocument(operations));
  const liveDescription = servedOnce(() => asyncApiDocument(settings));
  const docs = (c: Context) => c.html(String(docsPage(assetUrl)));
  const routes = serveRoutes({
    '/openapi.json': { GET: description },
    '/asyncapi.json': { GET: liveDescription },
    '/docs': { GET: docs },
  });
  return new Hono().use('/docs', pageSecurity({ inlineStyles: true })).route('/', routes);
}

/** Answers with a document, which is made for the first request. */
function servedOnce(make: () => object): () => Response {
  let text: string | undefined;
  return () => {
    text ??= JSON.stringify(make());
    return sendText(200, text, jsonHeaders({}));
  };
}

/** The description for readers: Swagger UI, served from its npm package, shows `/openapi.json`. */
function docsPage(assetUrl: RenderContext['assetUrl']): Html {
  return markup`<!doctype html>
    <html lang="en">
    <head>
      <meta charset="utf-8">
      <title>API – Ticket Booking</title>
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="robots" content="noindex">
      <link rel="icon" href="${assetUrl('favicon.svg')}" type="image/svg+xml">
      <link rel="stylesheet" href="${assetUrl('swagger-ui.css')}">
      <link rel="stylesheet" href="${assetUrl('docs.css')}">
      <script defer src="${assetUrl('swagger-ui-bundle.js')}"></script>
      <script defer src="${assetUrl('docs.js')}"></script>
    </head>
    <body>
      <div id="docs" data-url="/openapi.json">
        <noscript><p>Without JavaScript, read the description itself: <a href="/openapi.json">openapi.json</a>.</p></noscript>
      </div>
    </body>
    </html>`;
}

/**
 * Every operation of the API, in the order in which `/docs` shows the operations. A test compares this list with the
 * routes of the app.
 */
export const allOperations: readonly Operation[] = [
  ...packageOperations,
  ...orderOperations,
  ...paymentOperations,
  ...supplierOperations,
  ...adminOperations,
  ...monitoringOperations,
];

interface Served {
  /** Without an admin token the operators' API does not exist. */
  readonly hasAdmin: boolean;
  /** Without payments their operations do not exist. */
  readonly hasPayments: boolean;
  /** If false, the suppliers' operations are for callers with their token only. */
  readonly publicSuppliers: boolean;
}

/** The operations that an instance serves. */
export function operationsServed({ hasAdmin, hasPayments, publicSuppliers }: Served): readonly Operation[] {
  const served = allOperations.filter(
    ({ tag }) => (hasAdmin || tag !== 'Admin') && (hasPayments || tag !== 'Payments'),
  );
  return publicSuppliers ? served : served.map(forTrustedOnly);
}

/** The operation without its public callers, to whom alone a rate limit applies. */
function forTrustedOnly(operation: Operation): Operation {
  if (operation.tag !== 'Suppliers' || operation.security?.optional !== true) return operation;
  const { isLimited: _, security, ...rest } = operation;
  return { ...rest, security: { scheme: security.scheme } };
}
