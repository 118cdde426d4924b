import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { AppServices } from '../app-services.ts';
import { requestIdOfContext } from '../telemetry/request-id.ts';
import type { RenderContext } from './layout.ts';
import type { Html } from './markup.ts';

/** What the pages' handlers are given. */
export interface PageServices
  extends Pick<
    AppServices,
    'engine' | 'clock' | 'random' | 'settings' | 'telemetry' | 'limits' | 'admission'
  > {
  readonly assetUrl: RenderContext['assetUrl'];
}

export function renderContext({ assetUrl, clock, settings }: PageServices): RenderContext {
  return { assetUrl, now: clock.now(), currency: settings.currency };
}

/** A fresh Idempotency-Key for a form: 128 random bits. */
export function newFormKey({ random }: Pick<PageServices, 'random'>): string {
  return Buffer.from(random.bytes(16)).toString('base64url');
}

/** A page is about now and about one person, so nothing keeps it. */
export function sendPage(c: Context, page: Html, status: ContentfulStatusCode = 200): Response {
  c.header('Cache-Control', 'no-store');
  return c.html(String(page), status);
}

/** A page about an error of the catalogue, with its status and, where waiting helps, `Retry-After`. */
export function sendErrorPage(c: Context, page: Html, code: ErrorCode, retryAfterS?: number): Response {
  return sendPage(c, page, setErrorHeaders(c, code, retryAfterS));
}

/** Sets the headers that go with an error; returns its status. */
export function setErrorHeaders(c: Context, code: ErrorCode, retryAfterS?: number): ContentfulStatusCode {
  const { status } = errorKind(code) as { status: ContentfulStatusCode };
  const wait = retryAfterSeconds(code, retryAfterS);
  if (wait !== undefined) c.header('Retry-After', String(wait));
  if (status >= 500) c.header('X-Request-Id', requestIdOfContext(c));
  return status;
}

/** Whole seconds to wait before another try, where that helps: as given, else the catalogue's figure. */
export function retryAfterSeconds(code: ErrorCode, retryAfterS?: number): number | undefined {
  const wait = retryAfterS ?? errorKind(code).retryAfterS;
  return wait === undefined ? undefined : Math.ceil(wait);
}
