import { z } from 'zod';
import {
  amendmentBody,
  auditAnswer,
  changeAnswer,
  changesAnswer,
  drainAnswer,
  eraseBody,
  erasedAnswer,
  instanceAnswer,
  instancesAnswer,
  managedPackageAnswer,
  newPackageBody,
  operatedOrderAnswer,
  operatedOrdersAnswer,
  packageStatusAnswer,
  packageStatusesAnswer,
} from '../admin/api/schemas.ts';
import {
  flightAnswer,
  healthAnswer,
  hotelAnswer,
  ledgerAnswer,
  offerAnswer,
  orderAnswer,
  packageAnswer,
  packagesAnswer,
  problemAnswer,
  readyAnswer,
} from '../http/api/views.ts';
import { buyerBody, flightBody, hotelBody, purchaseBody } from '../http/inputs.ts';

/** The schemas that have a name in the description. */
const requests = {
  Purchase: purchaseBody,
  Buyer: buyerBody,
  FlightReservationRequest: flightBody,
  HotelReservationRequest: hotelBody,
  NewPackage: newPackageBody,
  PackageAmendment: amendmentBody,
  Erasure: eraseBody,
};
const answers = {
  Package: packageAnswer,
  Packages: packagesAnswer,
  Offer: offerAnswer,
  Order: orderAnswer,
  Problem: problemAnswer,
  FlightReservation: flightAnswer,
  HotelReservation: hotelAnswer,
  SupplierLedger: ledgerAnswer,
  Health: healthAnswer,
  Readiness: readyAnswer,
  ManagedPackage: managedPackageAnswer,
  PackageStatus: packageStatusAnswer,
  PackageStatuses: packageStatusesAnswer,
  Instance: instanceAnswer,
  Instances: instancesAnswer,
  Drain: drainAnswer,
  OperatedOrder: operatedOrderAnswer,
  OperatedOrders: operatedOrdersAnswer,
  Erased: erasedAnswer,
  AuditReport: auditAnswer,
  Change: changeAnswer,
  Changes: changesAnswer,
};

const options = {
  input: { io: 'input' },
  output: {
    io: 'output',
    // That a number of ours fits into a number tells nobody anything.
    override: ({ jsonSchema }: { jsonSchema: { maximum?: number } }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  },
} as const;

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Turns zod's schemas into JSON Schema: named ones into references to `#/components/schemas`. */
export interface Components {
  /** What a request must be: the side that goes into the checks. */
  request(schema: z.ZodType): JsonSchema;
  /** What an answer is. */
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

/** Within the description, its dialect and place are known. */
function plain(schema: JsonSchema): JsonSchema {
  const { $schema, $id, '~standard': _, ...rest } = schema;
  return rest;
}
