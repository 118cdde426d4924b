import { type Context, Hono } from 'hono';
import type { AppDeps } from '../deps.ts';
import { jsonHeaders, sendText } from '../json.ts';
import { allowOnly } from '../methods.ts';
import type { PageSetting } from '../pages/layout.ts';
import { pageSecurity } from '../security.ts';
import { docsPage } from './docs-page.ts';
import { openApiDocument } from './document.ts';
import { operationsServed } from './table.ts';

/** `GET /openapi.json`, and `GET /docs` to read it in a browser. */
export function descriptionRoutes(
  { admin }: Pick<AppDeps, 'admin'>,
  assetUrl: PageSetting['assetUrl'],
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
