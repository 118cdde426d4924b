import { accessSync, constants, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The endings of the files that SQLite and the process lock make beside a database. */
const besides = ['.lock', '-wal', '-shm'];

/**
 * Checks a database's path, and makes its folder if it does not exist. Without this check, SQLite would only say
 * "unable to open".
 * @returns the real path, so that all names of a file share one lock.
 * @throws Error with one line that names the path and says what is wrong with it.
 */
export function locateDatabase(file: string, readOnly: boolean): string {
  if (statOf(file) !== undefined) {
    const real = realpathSync(file);
    checkFile(real, readOnly);
    if (!readOnly) checkBesides(real);
    return real;
  }
  if (readOnly) throw new Error(`${file} does not exist: start the server or run db:init first`);
  makeFolder(dirname(resolve(file)));
  checkBesides(file);
  return file;
}

function checkFile(file: string, readOnly: boolean): void {
  const stats = statOf(file);
  if (stats?.isDirectory()) throw new Error(`${file} is a folder, not a database file`);
  // Refuse a pipe, because opening it may block forever.
  if (stats !== undefined && !stats.isFile()) throw new Error(`${file} is a device or a pipe, not a file`);
  if (readOnly) check(file, constants.R_OK, `read ${file}`);
  else check(file, constants.R_OK | constants.W_OK, `write to ${file}`);
}

function checkBesides(file: string): void {
  const folder = dirname(resolve(file));
  check(folder, constants.W_OK | constants.X_OK, `write to the folder ${folder}`);
  for (const ending of besides) {
    if (statOf(file + ending) !== undefined) checkFile(file + ending, false);
  }
}

/** Makes the folders one after the other, because on some file systems a recursive `mkdir` of Node never ends. */
function makeFolder(folder: string): void {
  const missing: string[] = [];
  let parent = folder;
  let found = statOf(parent);
  while (found === undefined && dirname(parent) !== parent) {
    missing.unshift(parent);
    parent = dirname(parent);
    found = statOf(parent);
  }
  if (found !== undefined && !found.isDirectory()) throw new Error(`${parent} is a file, not a folder`);
  for (const each of missing) makeOne(each);
}

function makeOne(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process has made the folder meanwhile.
    if (codeOf(error) === 'EEXIST' && statOf(folder)?.isDirectory()) return;
    throw new Error(`cannot make the folder ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The type and mode of a file or folder; undefined if nothing exists at the path. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new Error(`cannot look at ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function check(path: string, mode: number, action: string): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    throw new Error(`cannot ${action}: ${reasonOf(error)}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission',
  EPERM: 'this is not permitted there',
  EROFS: 'the file system is read-only',
  ENOENT: 'nothing can be made there',
  EEXIST: 'a link of that name leads nowhere',
  ELOOP: 'its symbolic links go round in a circle',
  ENAMETOOLONG: 'the name is too long',
};

function reasonOf(error: unknown): string {
  return reasons[codeOf(error) ?? ''] ?? (error as Error).message;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
