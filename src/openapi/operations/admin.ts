import { z } from 'zod';
import * as admin from '../../admin/api/schemas.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { orderAnswer } from '../../http/api/views.ts';
import { defineOperations, type Header, type Links } from '../operation.ts';

const packageLocation: Header = {
  description: 'Where the package is found.',
  schema: z.string().meta({ format: 'uri-reference' }),
  required: true,
};
const parameters = { 'path.id': '$response.body#/id' };
const links: Links = {
  getManagedPackage: { parameters },
  pausePackage: { parameters },
  resumePackage: { parameters },
  amendPackage: { parameters, requestBody: { version: '$response.body#/version' } },
};

/** The errors of each change, because the package's owner makes the changes. */
const owner: readonly ErrorCode[] = ['overloaded', 'no_owner'];

/** The media type and headers of a file for download. */
const csvFile = {
  type: 'text/csv',
  headers: { 'Content-Disposition': { description: 'The name of the file.', required: true } },
} as const;

/** The operations of `src/admin/api/`. */
export const adminOperations = defineOperations('Admin', {
  'get /api/admin/packages': {
    operationId: 'listManagedPackages',
    summary: 'The packages, with their owners and how busy they are',
    query: admin.packagesQuery,
    answers: { 200: ['A page of the packages, by id.', admin.packageStatusesAnswer] },
  },
  'post /api/admin/packages': {
    operationId: 'createPackage',
    summary: 'Put a package on sale',
    body: {
      schema: admin.newPackageBody,
      example: { flight: 'Flight-9', stay: '2030-01-01', price: 100, quota: 50, paused: true },
    },
    answers: {
      201: ['Created.', admin.managedPackageAnswer, { headers: { Location: packageLocation }, links }],
    },
    problems: [...owner, 'package_exists'],
  },
  'get /api/admin/packages/{id}': {
    operationId: 'getManagedPackage',
    summary: 'One package, with its owner and how busy it is',
    answers: { 200: ['The package.', admin.packageStatusAnswer, { links }] },
  },
  'patch /api/admin/packages/{id}': {
    operationId: 'amendPackage',
    summary: 'Change a package, at the version that was read',
    description: 'Absent members stay unchanged. Orders keep the package as it was when they were made.',
    body: {
      schema: admin.packageUpdateBody,
      example: { version: 1, quota: 60, closesAt: '2030-01-01T09:00:00Z' },
    },
    answers: { 200: ['Changed.', admin.managedPackageAnswer, { links }] },
    problems: [...owner, 'version_conflict', 'quota_too_low'],
  },
  'delete /api/admin/packages/{id}': {
    operationId: 'deletePackage',
    summary: 'Delete a package that nobody has ordered',
    description: 'Archive a package with orders instead, when its sale has ended.',
    answers: { 204: ['Deleted.'] },
    problems: [...owner, 'package_not_empty'],
  },
  'post /api/admin/packages/{id}/archive': {
    operationId: 'archivePackage',
    summary: 'Remove a package whose sale has ended from every list',
    description:
      'Nobody can buy it any more. Needs that no order is waiting, being booked or being cancelled. Orders stay.',
    answers: { 200: ['Done, also if it was so before.', admin.managedPackageAnswer] },
    problems: [...owner, 'version_conflict', 'sale_not_ended'],
  },
  'post /api/admin/packages/{id}/pause': {
    operationId: 'pausePackage',
    summary: 'Pause the sale; the queue keeps its order',
    answers: { 200: ['Done, also if it was so before.', admin.managedPackageAnswer] },
    problems: [...owner, 'version_conflict', 'sale_closed'],
  },
  'post /api/admin/packages/{id}/resume': {
    operationId: 'resumePackage',
    summary: 'Resume the sale',
    answers: { 200: ['Done, also if it was so before.', admin.managedPackageAnswer] },
    problems: [...owner, 'version_conflict', 'sale_closed'],
  },
  'get /api/admin/instances': {
    operationId: 'listInstances',
    summary: 'The instances and their load',
    answers: { 200: ['The instances by name.', admin.instancesAnswer] },
  },
  'post /api/admin/instances/{id}/drain': {
    operationId: 'drainInstance',
    summary: 'Make an instance hand over its packages and exit',
    answers: { 202: ['It has begun.', admin.drainAnswer] },
    problems: [...owner, 'no_answer'],
  },
  'post /api/admin/instances/{id}/dismiss': {
    operationId: 'dismissInstance',
    summary: 'Stop listing a lost instance',
    answers: { 200: ['It is not listed any more.', admin.dismissAnswer] },
    problems: owner,
  },
  'get /api/admin/orders': {
    operationId: 'listOrders',
    summary: 'Orders, newest first',
    query: admin.ordersQuery,
    answers: { 200: ['A page of them.', admin.operatedOrdersAnswer] },
  },
  'get /api/admin/orders.csv': {
    operationId: 'exportOrders',
    summary: 'Orders as a CSV file',
    description:
      'All orders that match, by package and number; those made meanwhile may be missing. Columns are never renamed, moved or removed, and new ones come last. A text that could be read as a formula has an apostrophe in front. A response that breaks off is not complete.',
    query: admin.exportQuery,
    answers: { 200: ['The file (RFC 4180), with a line of column names.', z.string(), csvFile] },
  },
  'post /api/admin/orders/search': {
    operationId: 'searchOrders',
    summary: 'All orders of an email',
    description: 'A POST, so that no address contains an email. Sorted by package and time, newest first.',
    onlyReads: true,
    body: { schema: admin.ordersSearchBody, example: { email: 'ana@example.com' } },
    answers: { 200: ['A page of them.', admin.operatedOrdersAnswer] },
  },
  'get /api/admin/orders/{id}': {
    operationId: 'getOperatedOrder',
    summary: 'One order',
    answers: { 200: ['The order.', admin.operatedOrderAnswer] },
  },
  'post /api/admin/orders/{id}/retry': {
    operationId: 'retryOrder',
    summary: 'Ask its suppliers again at once',
    description: 'With the same key, so repeating it is harmless.',
    answers: { 200: ['The order as it is.', orderAnswer] },
    problems: [...owner, 'not_retryable'],
  },
  'post /api/admin/orders/{id}/cancel': {
    operationId: 'cancelOperatedOrder',
    summary: 'Cancel it for its buyer',
    answers: { 200: ['The order as it is now.', orderAnswer] },
    problems: [...owner, 'in_progress', 'not_cancellable', 'trip_over'],
  },
  'post /api/admin/erase': {
    operationId: 'eraseEmail',
    summary: 'Erase an email from every order that has ended',
    description: 'Cannot be undone: nobody can look up these orders any more.',
    body: { schema: admin.eraseBody, example: { email: 'ana@example.com' } },
    answers: { 200: ['How many orders it was erased from.', admin.erasedAnswer] },
    problems: owner,
  },
  'get /api/admin/dead-letters': {
    operationId: 'listDeadLetters',
    summary: 'The mails and webhooks that were given up, newest first',
    query: admin.deadLettersQuery,
    answers: { 200: ['A page of them.', admin.deadLettersAnswer] },
  },
  'post /api/admin/dead-letters/retry': {
    operationId: 'retryDeadLetters',
    summary: 'Deliver mails and webhooks again that were given up',
    description:
      'Those with the given ids, or all of a channel. Repeating it is harmless: one that is not on the list any more is left out. A long answer begins with blanks, which JSON allows.',
    body: { schema: admin.deadLettersBody, example: { ids: ['7Q4M-9XKD-2VBN-H5TR.confirmed.mail'] } },
    answers: { 200: ['How many are delivered again.', admin.retriedAnswer] },
  },
  'post /api/admin/dead-letters/discard': {
    operationId: 'discardDeadLetters',
    summary: 'Delete mails and webhooks that were given up',
    description:
      'Those with the given ids, or all of a channel. Nobody is told of these events any more. A long answer begins with blanks, which JSON allows.',
    body: { schema: admin.deadLettersBody, example: { channel: 'mail' } },
    answers: { 200: ['How many are deleted.', admin.discardedAnswer] },
  },
  'get /api/admin/audit': {
    operationId: 'audit',
    summary: 'Check the stored data against the promises',
    description:
      'The report of `npm run audit -- --json`. A long report begins with blanks, which JSON allows.',
    query: admin.auditQuery,
    answers: { 200: ['The report.', admin.auditAnswer] },
    problems: ['audit_running', 'ledger_unavailable'],
  },
  'get /api/admin/reconciliation.csv': {
    operationId: 'reconcile',
    summary: 'The orders against the suppliers’ ledgers as a CSV file, differences first',
    description:
      'Reads all orders twice, so the rows take a while to come. One at a time. A response that breaks off is not complete.',
    answers: { 200: ['The file (RFC 4180), with a line of column names.', z.string(), csvFile] },
    problems: ['audit_running', 'ledger_unavailable'],
  },
  'get /api/admin/changes': {
    operationId: 'listChanges',
    summary: 'The changes of operators, newest first',
    query: admin.changesQuery,
    answers: { 200: ['A page of the log.', admin.changesAnswer] },
  },
});
