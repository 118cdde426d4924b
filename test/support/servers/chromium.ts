import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { aptInstall, firstFound, isRunnable, onPath } from './find.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** What lets it run as root, without a screen and without calling home. */
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

/** A browser of its own: its profile is new and goes away with it. */
export interface Chromium extends AsyncDisposable {
  /** Its window: pages of one context share cookies, so two buyers take two browsers, or `newContext`. */
  readonly context: BrowserContext;
  /** Another buyer in the same process: nothing is shared. */
  newContext(options?: ContextOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

export interface BrowserOptions extends ContextOptions {
  /** As in Chromium's own `Preferences`; they hold for {@link Chromium.context}. */
  readonly preferences?: object;
}

export interface ContextOptions {
  readonly javaScriptEnabled?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly deviceScaleFactor?: number;
  readonly hasTouch?: boolean;
  readonly isMobile?: boolean;
  /** Cookies and local storage of a context that is gone, as its `storageState()` gave them. */
  readonly storageState?: Awaited<ReturnType<BrowserContext['storageState']>>;
  /** Default `reduce`: without a graphics card the processor draws each step of an animation. */
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

/**
 * Starts a real Chromium, headless: the one that CHROMIUM_PATH names, one on PATH, or Debian's package.
 * @throws Error with what to do where there is none.
 */
export async function launchChromium({ preferences, ...own }: BrowserOptions = {}): Promise<Chromium> {
  const options: ContextOptions = { reducedMotion: 'reduce', ...own };
  const executablePath = await findChromium();
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

/** Chromium's last children may still write to it for a moment. */
function removeProfile(profile: string): Promise<void> {
  return rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function findChromium(): Promise<string> {
  return firstFound('Chromium', 'Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH.', [
    async () => {
      const path = process.env.CHROMIUM_PATH;
      if (!path) return { why: 'CHROMIUM_PATH is not set' };
      return (await isRunnable(path)) ? { path } : { why: `CHROMIUM_PATH=${path} cannot be run` };
    },
    search,
    async () => {
      const why = await aptInstall('chromium');
      return why === undefined ? search() : { why };
    },
  ]);
}

async function search(): Promise<{ path: string } | { why: string }> {
  const path = await onPath(...names);
  return path === undefined ? { why: `none of ${names.join(', ')} is on PATH` } : { path };
}
