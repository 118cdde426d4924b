import { z } from 'zod';
import { orderAnswer, packageAnswer } from '../http/api/views.ts';

/* The messages of `/live`: schemas for types, for `/asyncapi.json` and for tests. Each message is one text frame. */

/** Opens every connection, and is sent again while nothing else is sent. */
export const clockMessage = z.object({
  now: z.int().min(0).meta({ description: "The server's clock, as Unix time in ms." }),
});
export type ClockMessage = z.output<typeof clockMessage>;

/** One package, as in the answers of the API. */
export const packageMessage = z.object({ package: packageAnswer });
export type PackageMessage = z.output<typeof packageMessage>;

/** The watched order, as in the answers of the API. */
export const orderMessage = z.object({ order: orderAnswer });
export type OrderMessage = z.output<typeof orderMessage>;

/** Parts of a page, each of which replaces the element with its id. For browsers with htmx and its hx-ws extension. */
export const fragmentsMessage = z
  .string()
  .regex(/^(<hx-partial hx-target="#[\w-]+" hx-swap="outerMorph">[\s\S]*<\/hx-partial>)+$/);
