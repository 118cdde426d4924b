import { z } from 'zod';
import {
  amendmentBody,
  auditAnswer,
  auditQuery,
  changesAnswer,
  changesQuery,
  dismissAnswer,
  drainAnswer,
  eraseBody,
  erasedAnswer,
  instanceIdInput,
  instancesAnswer,
  managedPackageAnswer,
  newPackageBody,
  operatedOrderAnswer,
  operatedOrdersAnswer,
  ordersQuery,
  ordersSearchBody,
  packageStatusAnswer,
  packageStatusesAnswer,
  packagesQuery,
} from '../../admin/api/schemas.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { orderAnswer } from '../../http/api/views.ts';
import { packageIdField } from '../../http/inputs.ts';
import type { Header, Link, Operation, Parameter } from '../operation.ts';
import { bodyProblems, orderIdParameter } from '../shared.ts';

const packageId: Parameter = { in: 'path', name: 'id', schema: packageIdField, example: '1' };
const instanceId: Parameter = { in: 'path', name: 'id', schema: instanceIdInput, example: 'instance-2' };

const packageLocation: Header = {
  description: 'Where the package is found.',
  schema: z.string().meta({ format: 'uri-reference' }),
  required: true,
};

const ofPackage: Record<string, Link> = Object.fromEntries(
  ['getManagedPackage', 'pausePackage', 'resumePackage'].map((operationId) => [
    operationId,
    { operationId, parameters: { 'path.id': '$response.body#/id' } },
  ]),
);
const packageLinks: Record<string, Link> = {
  ...ofPackage,
  amendPackage: {
    operationId: 'amendPackage',
    parameters: { 'path.id': '$response.body#/id' },
    requestBody: { version: '$response.body#/version' },
  },
};

const readProblems: readonly ErrorCode[] = ['unauthorized', 'rate_limited', 'store_unavailable'];
/** A change goes through the package's owner, and a browser's session has to be used from our own pages. */
const changeProblems: readonly ErrorCode[] = [
  ...readProblems,
  'cross_site',
  'internal',
  'overloaded',
  'no_owner',
];

type Rest = Omit<Operation, 'tag' | 'security'>;

function admin(operation: Rest): Operation {
  return { ...operation, tag: 'Admin', security: { scheme: 'adminToken' } };
}

/** Parameters out of the schema that the whole query is checked with. */
function query({ shape }: z.ZodObject): Parameter[] {
  return Object.entries(shape).map(([name, schema]) => ({ in: 'query', name, schema: schema as z.ZodType }));
}

const packages: Operation[] = [
  admin({
    method: 'get',
    path: '/api/admin/packages',
    operationId: 'listManagedPackages',
    summary: 'All packages, with their owners and how busy they are',
    parameters: query(packagesQuery),
    answers: { 200: { description: 'The packages by id.', schema: packageStatusesAnswer } },
    problems: [...readProblems, 'invalid'],
  }),
  admin({
    method: 'post',
    path: '/api/admin/packages',
    operationId: 'createPackage',
    summary: 'Put a package on sale',
    body: {
      schema: newPackageBody,
      example: { flight: 'Flight-9', stay: '2030-01-01', price: 100, quota: 50, paused: true },
    },
    answers: {
      201: {
        description: 'Created.',
        schema: managedPackageAnswer,
        headers: { Location: packageLocation },
        links: packageLinks,
      },
    },
    problems: [...bodyProblems, ...changeProblems, 'package_exists'],
  }),
  admin({
    method: 'get',
    path: '/api/admin/packages/{id}',
    operationId: 'getManagedPackage',
    summary: 'One package, with its owner and how busy it is',
    parameters: [packageId],
    answers: { 200: { description: 'The package.', schema: packageStatusAnswer, links: packageLinks } },
    problems: [...readProblems, 'unknown_package'],
  }),
  admin({
    method: 'patch',
    path: '/api/admin/packages/{id}',
    operationId: 'amendPackage',
    summary: 'Change a package, at the version that was read',
    description: 'What is absent stays as it is. Orders keep the package as they were bought.',
    parameters: [packageId],
    body: { schema: amendmentBody, example: { version: 1, quota: 60, closesAt: '2030-01-01T09:00:00Z' } },
    answers: { 200: { description: 'Changed.', schema: managedPackageAnswer, links: packageLinks } },
    problems: [...bodyProblems, ...changeProblems, 'unknown_package', 'version_conflict', 'quota_too_low'],
  }),
  admin({
    method: 'delete',
    path: '/api/admin/packages/{id}',
    operationId: 'deletePackage',
    summary: 'Delete a package that nobody has ordered',
    description: 'One that was ordered is archived instead, when its sale has ended.',
    parameters: [packageId],
    answers: { 204: { description: 'It is gone.' } },
    problems: [...changeProblems, 'unknown_package', 'package_not_empty'],
  }),
  admin({
    method: 'post',
    path: '/api/admin/packages/{id}/archive',
    operationId: 'archivePackage',
    summary: 'Take a package whose sale has ended out of every list',
    description:
      'Nobody can buy it any more, and no order of it is waiting, being booked or being cancelled. Its orders stay.',
    parameters: [packageId],
    answers: { 200: { description: 'Done, or it was so already.', schema: managedPackageAnswer } },
    problems: [...changeProblems, 'unknown_package', 'version_conflict', 'sale_not_ended'],
  }),
  ...(['pause', 'resume'] as const).map((verb) =>
    admin({
      method: 'post',
      path: `/api/admin/packages/{id}/${verb}`,
      operationId: `${verb}Package`,
      summary: verb === 'pause' ? 'Pause the sale; the queue keeps its order' : 'Resume the sale',
      parameters: [packageId],
      answers: { 200: { description: 'Done, or it was so already.', schema: managedPackageAnswer } },
      problems: [...changeProblems, 'unknown_package', 'version_conflict'],
    }),
  ),
];

const instances: Operation[] = [
  admin({
    method: 'get',
    path: '/api/admin/instances',
    operationId: 'listInstances',
    summary: 'Who runs, and with what load',
    answers: { 200: { description: 'The instances by name.', schema: instancesAnswer } },
    problems: readProblems,
  }),
  admin({
    method: 'post',
    path: '/api/admin/instances/{id}/drain',
    operationId: 'drainInstance',
    summary: 'Have an instance hand over what it does, and end',
    parameters: [instanceId],
    answers: { 202: { description: 'It has begun.', schema: drainAnswer } },
    problems: [...changeProblems, 'unknown_instance', 'no_answer'],
  }),
  admin({
    method: 'post',
    path: '/api/admin/instances/{id}/dismiss',
    operationId: 'dismissInstance',
    summary: 'Show a lost instance no more',
    parameters: [instanceId],
    answers: { 200: { description: 'It is shown no more.', schema: dismissAnswer } },
    problems: [...changeProblems, 'unknown_instance'],
  }),
];

const orders: Operation[] = [
  admin({
    method: 'get',
    path: '/api/admin/orders',
    operationId: 'listOrders',
    summary: 'Orders, newest first',
    parameters: query(ordersQuery),
    answers: { 200: { description: 'A page of them.', schema: operatedOrdersAnswer } },
    problems: [...readProblems, 'invalid'],
  }),
  admin({
    method: 'post',
    path: '/api/admin/orders/search',
    operationId: 'searchOrders',
    summary: 'All orders of an email',
    description:
      'It is a POST so that no email is in an address. The newest of the greatest package come first.',
    body: { schema: ordersSearchBody, example: { email: 'ana@example.com' } },
    answers: { 200: { description: 'A page of them.', schema: operatedOrdersAnswer } },
    problems: [...bodyProblems, ...readProblems, 'cross_site', 'internal'],
  }),
  admin({
    method: 'get',
    path: '/api/admin/orders/{id}',
    operationId: 'getOperatedOrder',
    summary: 'One order',
    parameters: [orderIdParameter],
    answers: { 200: { description: 'The order.', schema: operatedOrderAnswer } },
    problems: [...readProblems, 'unknown_order'],
  }),
  admin({
    method: 'post',
    path: '/api/admin/orders/{id}/retry',
    operationId: 'retryOrder',
    summary: 'Ask its suppliers again, now',
    description: 'Under the same key, so it is harmless however often.',
    parameters: [orderIdParameter],
    answers: { 200: { description: 'The order as it is.', schema: orderAnswer } },
    problems: [...changeProblems, 'unknown_order', 'not_retryable'],
  }),
  admin({
    method: 'post',
    path: '/api/admin/orders/{id}/cancel',
    operationId: 'cancelOperatedOrder',
    summary: 'Cancel it for its buyer',
    parameters: [orderIdParameter],
    answers: { 200: { description: 'The order as it is now.', schema: orderAnswer } },
    problems: [...changeProblems, 'unknown_order', 'in_progress', 'not_cancellable'],
  }),
];

const books: Operation[] = [
  admin({
    method: 'post',
    path: '/api/admin/erase',
    operationId: 'eraseEmail',
    summary: 'Erase an email from every order that has ended',
    description: 'It cannot be undone: nobody can look these orders up any more.',
    body: { schema: eraseBody, example: { email: 'ana@example.com' } },
    answers: { 200: { description: 'How many orders it was erased from.', schema: erasedAnswer } },
    problems: [...bodyProblems, ...changeProblems],
  }),
  admin({
    method: 'get',
    path: '/api/admin/audit',
    operationId: 'audit',
    summary: 'Hold everything stored against the promises',
    description: 'What `npm run audit -- --json` prints. A long one begins with blanks, which JSON allows.',
    parameters: query(auditQuery),
    answers: { 200: { description: 'The report.', schema: auditAnswer } },
    problems: [...readProblems, 'invalid', 'audit_running', 'ledger_unavailable', 'internal'],
  }),
  admin({
    method: 'get',
    path: '/api/admin/changes',
    operationId: 'listChanges',
    summary: 'What operators have changed, newest first',
    parameters: query(changesQuery),
    answers: { 200: { description: 'A page of the log.', schema: changesAnswer } },
    problems: [...readProblems, 'invalid'],
  }),
];

/** `http/api/admin/` */
export const adminOperations: readonly Operation[] = [...packages, ...instances, ...orders, ...books];
