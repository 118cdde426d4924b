import type { Operation } from './operation.ts';
import { adminOperations } from './operations/admin.ts';
import { operatingOperations } from './operations/operations.ts';
import { orderOperations } from './operations/orders.ts';
import { packageOperations } from './operations/packages.ts';
import { supplierOperations } from './operations/suppliers.ts';

/** Every operation of the API, in the order in which they are shown. A test holds it against what the app serves. */
export const allOperations: readonly Operation[] = [
  ...packageOperations,
  ...orderOperations,
  ...supplierOperations,
  ...adminOperations,
  ...operatingOperations,
];

/** What an instance serves: without an admin token there is nothing for operators. */
export function operationsServed({ hasAdmin }: { readonly hasAdmin: boolean }): readonly Operation[] {
  return allOperations.filter(({ tag }) => hasAdmin || tag !== 'Admin');
}
