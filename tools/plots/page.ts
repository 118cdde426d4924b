import { readFile } from 'node:fs/promises';
import { html, raw } from 'hono/html';
import { type Colours, cssVariables } from './palette.ts';

/** The result of `html`: escaped already. */
export type Html = ReturnType<typeof html>;

/**
 * A complete page in one file: the style is inside, there is no script, and its content security policy forbids
 * everything from elsewhere.
 */
export async function page(title: string, body: Html, colours: Colours): Promise<string> {
  const css = await readFile(new URL('page.css', import.meta.url), 'utf8');
  const style = `:root {\n${cssVariables(colours, 'light')}\n}\n@media (prefers-color-scheme: dark) {\n:root {\n${cssVariables(colours, 'dark')}\n}\n}\n${css}`;
  return String(
    await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
${raw(style)}
</style>
</head>
<body>
${body}
</body>
</html>
`,
  );
}
