import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { HttpSettings } from '../../http/app-services.ts';
import { cookieFormat } from '../../http/security.ts';

type NoticeSettings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

const noticeName = 'admin-notice';
const keptS = 60;

/** Has the next page that is shown say what was done. */
export async function leaveNotice(c: Context, settings: NoticeSettings, words: string): Promise<void> {
  const { name, attributes } = cookieFormat(noticeName, settings);
  await setSignedCookie(c, name, words, keyOf(settings), {
    ...attributes,
    sameSite: 'Strict',
    maxAge: keptS,
  });
}

/** What was done last, told once. A cookie that we did not sign says nothing. */
export async function takeNotice(c: Context, settings: NoticeSettings): Promise<string | undefined> {
  const { name, attributes } = cookieFormat(noticeName, settings);
  const words = await getSignedCookie(c, keyOf(settings), name);
  if (words === undefined) return undefined;
  deleteCookie(c, name, attributes);
  return words || undefined;
}

/** A cookie's signature does not cover its name: what was signed for another one is worth nothing here. */
function keyOf({ secret }: NoticeSettings): string {
  return `${noticeName}:${secret}`;
}
