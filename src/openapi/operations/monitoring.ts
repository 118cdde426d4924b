import { z } from 'zod';
import { healthAnswer, readyAnswer } from '../../http/api/views.ts';
import { defineOperations } from '../operation.ts';

/** Operations for load balancers, monitoring and tools. */
export const monitoringOperations = defineOperations('Operations', {
  'get /healthz': {
    operationId: 'health',
    summary: 'Whether the process runs',
    answers: { 200: ['It does. Without an answer, restart it.', healthAnswer] },
  },
  'get /readyz': {
    operationId: 'readiness',
    summary: 'Whether this instance takes orders',
    answers: { 200: ['It does.', readyAnswer] },
    problems: ['not_ready'],
  },
  'get /metrics': {
    operationId: 'metrics',
    summary: 'The metrics for Prometheus',
    description: 'Open to direct requests from private networks; to others with the admin token.',
    answers: { 200: ['In the text format of Prometheus.', z.string(), { type: 'text/plain' }] },
    problems: ['unauthorized', 'unknown_route', 'rate_limited'],
    security: { scheme: 'adminToken', optional: true },
  },
  'get /openapi.json': {
    operationId: 'description',
    summary: 'This description',
    answers: { 200: ['OpenAPI 3.1.', z.looseObject({ openapi: z.string(), paths: z.looseObject({}) })] },
  },
  'get /asyncapi.json': {
    operationId: 'liveDescription',
    summary: 'The description of the live updates at /live',
    answers: {
      200: ['AsyncAPI 3.0.', z.looseObject({ asyncapi: z.string(), channels: z.looseObject({}) })],
    },
  },
});
