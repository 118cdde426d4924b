import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** The root of the repository. */
export const root = join(import.meta.dirname, '../..');

/** A document of the repository. */
export interface Document {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Folders that installs, runs and tests create. */
const generated =
  /^(node_modules|data|chaos-results|fuzz-results|bench\/results|bench\/peers\/restate\/node_modules|clients\/typescript\/dist|\.git)(\/|$)/;

/** Paths of all files of the repository. */
export const allFiles: readonly string[] = readdirSync(root, { recursive: false, withFileTypes: true })
  .flatMap((entry) =>
    entry.isDirectory() && !generated.test(entry.name)
      ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' }).map(
          (path) => `${entry.name}/${path}`,
        )
      : [entry.name],
  )
  .filter((path) => !generated.test(path));

const fileNames: ReadonlySet<string> = new Set(allFiles.map((path) => basename(path)));

export const documents: readonly Document[] = allFiles
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** @throws Error for a document that does not exist. */
export function documentAt(path: string): Document {
  const found = documents.find((document) => document.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return found;
}

/** The text of every code span, outside of code blocks. */
export function codeSpans({ text }: Document): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string);
}

/** The cells of all rows of the tables that have this header. */
export function tableRows({ text }: Document, header: string): string[][] {
  return text
    .split(`${header}\n`)
    .slice(1)
    .flatMap(
      (table) =>
        table
          .split(/\n(?!\|)/, 1)[0]
          ?.split('\n')
          .slice(1) ?? [],
    )
    .filter((row) => row.startsWith('|'))
    .map((row) =>
      row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Links and pictures whose file or heading does not exist in the repository. */
export function brokenLinks(document: Document): string[] {
  const targets = [...withoutBlocks(document.text).matchAll(/\]\(([^()\s]+)\)/g)].map(
    ([, to]) => to as string,
  );
  return targets.filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(document, target));
}

function leadsSomewhere({ path }: Document, target: string): boolean {
  const [file = '', anchor] = target.split('#', 2);
  const linked = file === '' ? path : relative(root, join(root, dirname(path), file));
  if (!existsSync(join(root, linked))) return false;
  return anchor === undefined || headingsOf(documentAt(linked)).includes(anchor);
}

/** The anchors that GitHub makes of the headings. */
function headingsOf({ text }: Document): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const ofRepository = /^(\.ci|src|test|tools|bench|clients|deploy|docs|public)\/[\w./-]*$/;
const fileName = /^[\w.-][\w./-]*\.(md|ts|mjs|js|json|yml|yaml|svg|png|html|lua|css)$/;

/** Mentioned files and folders that do not exist. A name with a slash is relative to the root or the document. */
export function missingFiles(document: Document): string[] {
  const folders = [root, join(root, dirname(document.path))];
  return codeSpans(document).filter((name) => {
    if (generated.test(name) || !(ofRepository.test(name) || fileName.test(name))) return false;
    return name.includes('/')
      ? !folders.some((folder) => existsSync(join(folder, name)))
      : !fileNames.has(name);
  });
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}
