import { z } from 'zod';
import * as admin from '../admin/api/schemas.ts';
import * as views from '../http/api/views.ts';
import * as inputs from '../http/inputs.ts';

/** The schemas that become `#/components/schemas`, by name. */
const requests = {
  Purchase: inputs.purchaseBody,
  Buyer: inputs.buyerBody,
  FlightReservationRequest: inputs.flightBody,
  HotelReservationRequest: inputs.hotelBody,
  NewPackage: admin.newPackageBody,
  PackageAmendment: admin.amendmentBody,
  Erasure: admin.eraseBody,
};
const answers = {
  Package: views.packageAnswer,
  Packages: views.packagesAnswer,
  Offer: views.offerAnswer,
  Order: views.orderAnswer,
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
  AuditReport: admin.auditAnswer,
  Change: admin.changeAnswer,
  Changes: admin.changesAnswer,
};

const options = {
  input: { io: 'input' },
  output: {
    io: 'output',
    // The largest safe integer is not a real limit.
    override: ({ jsonSchema }: { jsonSchema: { maximum?: number } }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  },
} as const;

type JsonSchema = Readonly<Record<string, unknown>>;

/** Converts zod's schemas to JSON Schema, and named ones to references to `#/components/schemas`. */
export interface Components {
  /** A schema's input, for requests. */
  request(schema: z.ZodType): JsonSchema;
  /** A schema's output, for answers. */
  answer(schema: z.ZodType): JsonSchema;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

export function createComponents(): Components {
  const sides = { input: registryOf(requests), output: registryOf(answers) } as const;
  const convert = (io: keyof typeof sides, schema: z.ZodType): JsonSchema => {
    const name = sides[io].get(schema)?.id;
    return name === undefined ? plain(z.toJSONSchema(schema, options[io])) : { $ref: refTo(name) };
  };
  return {
    request: (schema) => convert('input', schema),
    answer: (schema) => convert('output', schema),
    schemas: { ...schemasOf(sides.output, 'output'), ...schemasOf(sides.input, 'input') },
  };
}

type Registry = ReturnType<typeof registryOf>;

function registryOf(schemas: Readonly<Record<string, z.ZodType>>) {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  return registry;
}

function schemasOf(registry: Registry, io: 'input' | 'output'): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(registry, { ...options[io], uri: refTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Removes the members that are redundant within an OpenAPI document. */
function plain(schema: JsonSchema): JsonSchema {
  const { $schema, $id, '~standard': _, ...rest } = schema;
  return rest;
}
