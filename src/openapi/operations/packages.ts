import { packageAnswer, packagesAnswer } from '../../http/api/answers.ts';
import { packageIdField } from '../../http/inputs.ts';
import type { Link, Operation } from '../operation.ts';
import { packageExample } from './examples.ts';

const getPackage: Link = {
  operationId: 'getPackage',
  parameters: { 'path.id': '$response.body#/packages/0/id' },
};
const buyFirst: Link = {
  operationId: 'createOrder',
  requestBody: { packageId: '$response.body#/packages/0/id' },
};
const buy: Link = { operationId: 'createOrder', requestBody: { packageId: '$response.body#/id' } };

/** `http/api/packages.ts` */
export const packageOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/packages',
    operationId: 'listPackages',
    tag: 'Packages',
    isLimited: true,
    summary: 'All packages on the list',
    description: 'Those that are not listed, or archived, are found by their id alone.',
    answers: {
      200: {
        description: 'The packages by id, at most 250 ms old.',
        schema: packagesAnswer,
        example: { packages: [packageExample] },
        links: { getPackage, createOrder: buyFirst },
      },
    },
    problems: ['store_unavailable'],
  },
  {
    method: 'get',
    path: '/api/packages/{id}',
    operationId: 'getPackage',
    tag: 'Packages',
    isLimited: true,
    summary: 'One package',
    parameters: [{ in: 'path', name: 'id', schema: packageIdField, example: '1' }],
    answers: {
      200: {
        description: 'The package.',
        schema: packageAnswer,
        example: packageExample,
        links: { createOrder: buy },
      },
    },
    problems: ['unknown_package', 'store_unavailable'],
  },
];
