import { z } from 'zod';
import { healthAnswer, readyAnswer } from '../../http/api/views.ts';
import type { Operation } from '../operation.ts';

/** What load balancers, monitoring and tools ask for. */
export const operatingOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/healthz',
    operationId: 'health',
    tag: 'Operations',
    summary: 'Whether the process lives',
    answers: { 200: { description: 'It does. Where there is no answer, restart it.', schema: healthAnswer } },
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'readiness',
    tag: 'Operations',
    summary: 'Whether this instance takes orders',
    answers: { 200: { description: 'It does.', schema: readyAnswer } },
    problems: ['not_ready'],
  },
  {
    method: 'get',
    path: '/metrics',
    operationId: 'metrics',
    tag: 'Operations',
    summary: 'The figures that Prometheus reads',
    description: 'Open to machines nearby that ask directly; to others with the admin token.',
    answers: {
      200: { description: 'In the text format of Prometheus.', schema: z.string(), type: 'text/plain' },
    },
    problems: ['unauthorized', 'unknown_route', 'rate_limited'],
    security: { scheme: 'adminToken', optional: true },
  },
  {
    method: 'get',
    path: '/openapi.json',
    operationId: 'description',
    tag: 'Operations',
    summary: 'This description',
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        schema: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
      },
    },
    problems: [],
  },
];
