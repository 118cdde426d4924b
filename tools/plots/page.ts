import { readFile } from 'node:fs/promises';
import { html, raw } from 'hono/html';
import { cssVariables } from './palette.ts';

/** What `html` makes: safe to put into more of it. */
export type Html = ReturnType<typeof html>;

/** A whole page that asks for nothing: its style is inside, it has no script, and its policy forbids both to come from elsewhere. */
export async function page(title: string, body: Html | Html[]): Promise<string> {
  const css = await readFile(new URL('page.css', import.meta.url), 'utf8');
  const style = `:root {\n${cssVariables('light')}\n}\n@media (prefers-color-scheme: dark) {\n:root {\n${cssVariables('dark')}\n}\n}\n${css}`;
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
