import type { Config } from '../config/config.ts';
import type { NoticeChannel } from '../domain/notices.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { Channel } from '../notifications/channel.ts';
import { Dispatcher } from '../notifications/dispatcher.ts';
import type { Log } from '../observability/log.ts';
import type { Telemetry } from '../observability/telemetry.ts';
import type { OutboxStore } from '../storage/outbox.ts';

/** The channels that are on. */
export function noticeChannelsOf({ notifications }: Pick<Config, 'notifications'>): NoticeChannel[] {
  const { mail, webhook } = notifications;
  return [
    ...(mail === undefined ? [] : ['mail' as const]),
    ...(webhook === undefined ? [] : ['webhook' as const]),
  ];
}

interface NotificationParts {
  readonly config: Config;
  readonly store: OutboxStore;
  /** Signs the private links in mails. */
  readonly secret: string;
  /** The origin at which buyers reach this server, once it listens. */
  readonly origin: () => string;
  readonly log: Log;
  readonly metrics: Telemetry['metrics'];
}

/** The delivery of mails and webhooks. Undefined if both are off: then their libraries are not loaded. */
export async function openNotifications(parts: NotificationParts): Promise<Dispatcher | undefined> {
  const { config, store, secret, origin, log, metrics } = parts;
  const { mail, webhook } = config.notifications;
  const channels: Channel[] = [];
  if (mail !== undefined) {
    const { mailChannel } = await import('../notifications/mail/mail-channel.ts');
    channels.push(mailChannel({ ...mail, secret, origin, currency: config.currency }));
  }
  if (webhook !== undefined) {
    const { webhookChannel } = await import('../notifications/webhook/webhook-channel.ts');
    channels.push(webhookChannel({ ...webhook, clock }));
  }
  if (channels.length === 0) return undefined;
  return new Dispatcher({ channels, store, clock, random: systemRandom(), log, metrics });
}
