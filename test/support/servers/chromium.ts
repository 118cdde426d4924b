import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { aptInstall, firstFound, isRunnable, onPath } from './find.ts';

/** The same engine without the browser's own window: a new page takes a third of the processor time. */
const shells = ['chromium-headless-shell', 'chrome-headless-shell'];
const browsers = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Flags that let Chromium run as root, without a screen and without contacting Google. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser with a new profile, which is deleted when the browser closes. */
export interface Chromium extends AsyncDisposable {
  /** The browser's window. Pages of one context share cookies, so two buyers need two browsers or `newContext`. */
  readonly context: BrowserContext;
  /** A context for another buyer in the same process. It shares nothing with `context`. */
  newContext(options?: ContextOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

export interface BrowserOptions extends ContextOptions {
  /** Chromium's own `Preferences`. They apply to {@link Chromium.context}. A headless shell has none. */
  readonly preferences?: object;
}

export interface ContextOptions {
  readonly javaScriptEnabled?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly deviceScaleFactor?: number;
  readonly hasTouch?: boolean;
  readonly isMobile?: boolean;
  /** The language of the browser, such as `de-DE`. Default: English. */
  readonly locale?: string;
  /** Cookies and local storage of an earlier context, from its `storageState()`. */
  readonly storageState?: Awaited<ReturnType<BrowserContext['storageState']>>;
  /** Default `reduce`, because without a graphics card the processor draws each step of an animation. */
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

/**
 * Starts a real Chromium without a window: the program at CHROMIUM_PATH, a program on PATH, or Debian's package.
 * It prefers a headless shell to a whole browser, unless there are preferences.
 * @throws Error with what to do if there is none.
 */
export async function launchChromium({ preferences, ...own }: BrowserOptions = {}): Promise<Chromium> {
  const options: ContextOptions = { reducedMotion: 'reduce', ...own };
  const executablePath = await findChromium(preferences === undefined ? [...shells, ...browsers] : browsers);
  const profile = await mkdtemp(join(tmpdir(), 'ticket-booking-chromium-'));
  if (preferences !== undefined) {
    await mkdir(join(profile, 'Default'));
    await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(preferences));
  }
  const context = await chromium
    .launchPersistentContext(profile, { executablePath, headless: true, args: flags, ...options })
    .catch(async (error: unknown) => {
      await removeProfile(profile);
      throw error;
    });
  const close = async () => {
    await context.close();
    await removeProfile(profile);
  };
  return {
    context,
    newContext(more = {}) {
      const browser = context.browser();
      if (!browser) throw new Error('this Chromium has closed');
      return browser.newContext({ ...options, ...more });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Removes the profile. Retries, because Chromium's last child processes may still write to it for a moment. */
function removeProfile(profile: string): Promise<void> {
  return rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** The first of these programs, or else of Debian's packages with these names. */
function findChromium(names: readonly string[]): Promise<string> {
  const search = async () => {
    const path = await onPath(...names);
    return path === undefined ? { why: `none of ${names.join(', ')} is on PATH` } : { path };
  };
  const [debianPackage] = names as [string];
  return firstFound(
    'Chromium',
    `Install it (Debian: apt-get install ${debianPackage}) or set CHROMIUM_PATH.`,
    [
      async () => {
        const path = process.env.CHROMIUM_PATH;
        if (!path) return { why: 'CHROMIUM_PATH is not set' };
        return (await isRunnable(path)) ? { path } : { why: `CHROMIUM_PATH=${path} cannot be run` };
      },
      search,
      async () => {
        const why = await aptInstall(debianPackage);
        return why === undefined ? search() : { why };
      },
    ],
  );
}
