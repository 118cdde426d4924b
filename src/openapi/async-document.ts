import { z } from 'zod';
import type { HttpSettings } from '../http/app-services.ts';
import { packageIdPattern, shownMax } from '../http/inputs.ts';
import { languages } from '../http/pages/texts/languages.ts';
import { closeCodes } from '../realtime/fanout.ts';
import { livePath } from '../realtime/handshake.ts';
import type { ClockMessage, OrderMessage, PackageMessage } from '../realtime/messages.ts';
import { draft7Schema, type JsonSchema, messageSchemas } from './components.ts';
import { packageExample, waitingExample } from './operations/customers.ts';

interface AsyncApiDescription {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, AsyncApiChannel>>;
  readonly components: {
    readonly messages: Readonly<Record<string, AsyncApiMessage>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
  readonly [member: string]: unknown;
}

interface AsyncApiChannel {
  readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
  readonly [member: string]: unknown;
}

interface AsyncApiMessage {
  readonly payload: { readonly $ref: string };
  readonly [member: string]: unknown;
}

const about = `Packages and orders, live over a WebSocket at \`${livePath}\`. Only the server sends; what clients send is ignored.

Each message is one text frame with the newest state. A reader that is too slow skips states. The current state opens every
connection, so nothing has to be resumed after a reconnect. The server sends something at least every 4 s: a connection
that is silent for 9 s is dead.

The server closes with ${closeCodes.restart} when it restarts: connect again, a moment later. It closes with ${closeCodes.refused} when there is no such package or
order, and when a client sends too much. It answers the handshake itself with a problem, as \`/openapi.json\` describes
them: 404 for a topic, a proof or a format that does not exist, 403 for pages of other sites, 429 and 503 with
\`Retry-After\` beyond its limits.`;

/** The topics of packages: some, or the first that are listed. */
const packageTopic = new RegExp(
  `^(packages|packages:${packageIdPattern}(\\.${packageIdPattern}){0,${shownMax - 1}}|package:${packageIdPattern})$`,
);
const orderTopic = /^order:[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/;
const pageTopic = /^(packages|package|order|admin)(:[\w.-]+)?$/;

const json = z.literal('json');
const proof = z
  .string()
  .regex(/^[\w-]{22}$/)
  .meta({
    description: 'The signature of the order. The `Link` of `GET /api/orders/{id}` has the whole address.',
  });

/** The query of each channel's address. `checkHandshake` reads it. */
const queries = {
  packages: z.object({
    topic: z
      .string()
      .regex(packageTopic)
      .meta({
        description: `\`packages\`: the first ${shownMax} that are listed; \`packages:1.2.3\`: these, at most ${shownMax}; \`package:3\`.`,
      }),
    format: json,
  }),
  order: z.object({
    topic: z.string().regex(orderTopic).meta({ description: '`order:`, and the id of the order.' }),
    proof,
    format: json,
  }),
  pages: z.object({
    topic: z.string().regex(pageTopic).meta({
      description: 'As for programs. `admin` and `admin:1.2.3` are for operators who are signed in.',
    }),
    proof: proof.optional(),
    lang: z
      .enum(languages)
      .optional()
      .meta({ description: 'The language of the fragments. Default: English.' }),
  }),
} as const;

type ChannelName = keyof typeof queries;

/** The messages by name: their summary, the name of their schema, and an example. */
const messages = {
  clock: [
    "The server's clock: first of all, and while nothing else is sent.",
    'ClockUpdate',
    {
      now: 1_893_456_000_000,
    } satisfies ClockMessage,
  ],
  package: ['The state of a package.', 'PackageUpdate', { package: packageExample } satisfies PackageMessage],
  order: ['The state of the order.', 'OrderUpdate', { order: waitingExample } satisfies OrderMessage],
  fragments: [
    'Parts of a page.',
    'Fragments',
    '<hx-partial hx-target="#stay-1" hx-swap="outerMorph"><span id="stay-1">…</span></hx-partial>',
  ],
} as const;

type MessageName = keyof typeof messages;

const channels: Readonly<Record<ChannelName, readonly [title: string, ...MessageName[]]>> = {
  packages: ['Packages, for programs', 'clock', 'package'],
  order: ['One order, for programs', 'clock', 'order'],
  pages: ['What a page shows, for browsers with htmx', 'clock', 'fragments'],
};

/** The live updates in AsyncAPI 3. */
export function asyncApiDocument({
  publicOrigin,
}: Pick<HttpSettings, 'publicOrigin'> = {}): AsyncApiDescription {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Ticket Booking: live updates', version: '1.0.0', description: about },
    defaultContentType: 'application/json',
    servers: { tickets: server(publicOrigin) },
    channels: Object.fromEntries(namesOf(channels).map((name) => [name, channel(name)])),
    operations: Object.fromEntries(namesOf(channels).map((name) => [operationName(name), operation(name)])),
    components: {
      messages: Object.fromEntries(namesOf(messages).map((name) => [name, message(name)])),
      schemas: messageSchemas(),
    },
  };
}

function server(publicOrigin: string | undefined): object {
  if (publicOrigin === undefined) {
    const host = { default: 'localhost:8888', description: 'The host that the description came from.' };
    return { host: '{host}', protocol: 'ws', variables: { host } };
  }
  const { host, protocol } = new URL(publicOrigin);
  return { host, protocol: protocol === 'https:' ? 'wss' : 'ws' };
}

function channel(name: ChannelName): AsyncApiChannel {
  const [title, ...sent] = channels[name];
  return {
    address: livePath,
    title,
    messages: Object.fromEntries(sent.map((each) => [each, { $ref: `#/components/messages/${each}` }])),
    bindings: { ws: { method: 'GET', query: draft7Schema(queries[name]), bindingVersion: '0.1.0' } },
  };
}

/** `sendOrder` for the channel `order`. */
function operationName(name: ChannelName): string {
  return `send${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function operation(name: ChannelName): object {
  const [title, ...sent] = channels[name];
  return {
    action: 'send',
    title,
    channel: { $ref: `#/channels/${name}` },
    messages: sent.map((each) => ({ $ref: `#/channels/${name}/messages/${each}` })),
  };
}

function message(name: MessageName): AsyncApiMessage {
  const [summary, schema, payload] = messages[name];
  return {
    name,
    title: schema,
    summary,
    ...(typeof payload === 'string' ? { contentType: 'text/html' } : {}),
    payload: { $ref: `#/components/schemas/${schema}` },
    examples: [{ name: 'example', payload }],
  };
}

function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(table) as Name[];
}
