import type { RenderContext } from '../http/pages/layout.ts';
import { type Html, markup } from '../http/pages/markup.ts';

/** The description for readers: Swagger UI, out of its package, over `/openapi.json`. */
export function docsPage(assetUrl: RenderContext['assetUrl']): Html {
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
