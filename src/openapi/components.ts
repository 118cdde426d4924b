import { z } from 'zod';
import * as admin from '../admin/api/schemas.ts';
import * as views from '../http/api/views.ts';
import * as inputs from '../http/inputs.ts';
import { orderEvent } from '../notifications/webhook/order-event.ts';
import * as live from '../realtime/messages.ts';

/** The schemas of requests that become `#/components/schemas`, by name. */
const requests = registryOf({
  Purchase: inputs.purchaseBody,
  PackagePurchase: inputs.packagePurchaseBody,
  Buyer: inputs.buyerBody,
  FlightReservationRequest: inputs.flightBody,
  HotelReservationRequest: inputs.hotelBody,
  PaymentEvent: inputs.paymentEventBody,
  NewPackage: admin.newPackageBody,
  PackageAmendment: admin.packageUpdateBody,
  Erasure: admin.eraseBody,
});
/** The schemas of answers that become `#/components/schemas`, by name. */
const answers = registryOf({
  Package: views.packageAnswer,
  Packages: views.packagesAnswer,
  Offer: views.offerAnswer,
  Order: views.orderAnswer,
  OrderEvent: orderEvent,
  Problem: views.problemAnswer,
  FlightReservation: views.flightAnswer,
  HotelReservation: views.hotelAnswer,
  SupplierLedger: views.ledgerAnswer,
  Health: views.healthAnswer,
  Readiness: views.readyAnswer,
  ManagedPackage: admin.managedPackageAnswer,
  PackageStatus: admin.packageStatusAnswer,
  PackageStatuses: admin.packageStatusesAnswer,
  Instance: admin.instanceAnswer,
  Instances: admin.instancesAnswer,
  Drain: admin.drainAnswer,
  OperatedOrder: admin.operatedOrderAnswer,
  OperatedOrders: admin.operatedOrdersAnswer,
  Erased: admin.erasedAnswer,
  DeadLetter: admin.deadLetterAnswer,
  DeadLetters: admin.deadLettersAnswer,
  Retried: admin.retriedAnswer,
  AuditReport: admin.auditAnswer,
  Change: admin.changeAnswer,
  Changes: admin.changesAnswer,
});

/** The schemas of the messages of `/live`, and of what they contain, by name. */
const messages = registryOf({
  ClockUpdate: live.clockMessage,
  PackageUpdate: live.packageMessage,
  OrderUpdate: live.orderMessage,
  Fragments: live.fragmentsMessage,
  Package: views.packageAnswer,
  Offer: views.offerAnswer,
  Order: views.orderAnswer,
});

const options = {
  input: { io: 'input' },
  output: {
    io: 'output',
    // zod gives every integer this maximum, which is not a real limit.
    override: ({ jsonSchema }: { jsonSchema: { maximum?: number } }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  },
} as const;

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Converts a schema's input to JSON Schema, for requests. A named schema becomes a reference to `#/components/schemas`. */
export function requestSchema(schema: z.ZodType): JsonSchema {
  return requests.has(schema) ? refTo(requests, schema) : plain(z.toJSONSchema(schema, options.input));
}

/**
 * Converts a schema's output to JSON Schema, for answers. A named schema becomes a reference to `#/components/schemas`.
 */
export function answerSchema(schema: z.ZodType): JsonSchema {
  return answers.has(schema) ? refTo(answers, schema) : plain(z.toJSONSchema(schema, options.output));
}

/** All named schemas: `#/components/schemas`. */
export function componentSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(answers, { ...options.output, uri: uriOf });
  const { schemas: inputs } = z.toJSONSchema(requests, { ...options.input, uri: uriOf });
  const all = Object.entries({ ...schemas, ...inputs });
  return Object.fromEntries(all.map(([name, schema]) => [name, plain(schema)]));
}

/** The named schemas of `/live`: `#/components/schemas` of AsyncAPI, which is based on draft 7 of JSON Schema. */
export function messageSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(messages, { ...options.output, target: 'draft-07', uri: uriOf });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

/** Converts a schema to draft 7 of JSON Schema, without references. */
export function draft7Schema(schema: z.ZodType): JsonSchema {
  return plain(z.toJSONSchema(schema, { ...options.output, target: 'draft-07' }));
}

type Registry = ReturnType<typeof registryOf>;

function registryOf(schemas: Readonly<Record<string, z.ZodType>>) {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  return registry;
}

function refTo(registry: Registry, schema: z.ZodType): JsonSchema {
  return { $ref: uriOf(registry.get(schema)?.id as string) };
}

function uriOf(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Removes the members that are redundant within an OpenAPI document. */
function plain(schema: JsonSchema): JsonSchema {
  const { $schema, $id, '~standard': _, ...rest } = schema;
  return rest;
}
