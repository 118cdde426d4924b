import { type Context, Hono } from 'hono';
import type { AppServices } from '../http/app-services.ts';
import { jsonHeaders, sendText } from '../http/json.ts';
import { allowOnly } from '../http/methods.ts';
import type { RenderContext } from '../http/pages/layout.ts';
import { pageSecurity } from '../http/security.ts';
import { docsPage } from './docs-page.ts';
import { openApiDocument } from './document.ts';
import { operationsServed } from './table.ts';

/** `GET /openapi.json`, and `GET /docs` to read it in a browser. */
export function descriptionRoutes(
  { admin }: Pick<AppServices, 'admin'>,
  assetUrl: RenderContext['assetUrl'],
): Hono {
  const operations = operationsServed({ hasAdmin: admin !== undefined });
  let text: string | undefined;
  const description = () => {
    text ??= JSON.stringify(openApiDocument(operations));
    return sendText(200, text, jsonHeaders({}));
  };
  return new Hono()
    .get('/openapi.json', description)
    .all('/openapi.json', allowOnly('GET'))
    .use('/docs', pageSecurity({ inlineStyles: true }))
    .get('/docs', (c: Context) => c.html(String(docsPage(assetUrl))))
    .all('/docs', allowOnly('GET'));
}
