import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span as OtelSpan, SpanContext, Tracer } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { settlesWithin } from '../lib/deadline.ts';
import { LogOnce } from '../lib/log-once.ts';
import type { Log } from './log.ts';
import type { Span, SpanOptions, TraceContext, Tracing } from './tracing.ts';

export interface TracingSource extends Tracing {
  /** Sends spans that were not sent yet, for two seconds at most. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly instanceId: string;
  readonly version: string;
  readonly log: Log;
}

type Api = typeof import('@opentelemetry/api');

const closeTimeoutMs = 2_000;

/**
 * Makes traces with OpenTelemetry, sent as OTLP over HTTP (JSON). The SDK reads the collector's URL, the sampling and
 * the service name from the standard variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). This call loads the SDK.
 */
export async function createTracing({ instanceId, version, log }: TracingOptions): Promise<TracingSource> {
  const [api, sdk, { OTLPTraceExporter }, resource] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    resourceOf({ instanceId, version, log }),
  ]);
  const processor = new sdk.BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new sdk.NodeTracerProvider({ resource, spanProcessors: [processor] });
  return new OtelTracing(api, provider.getTracer('ticket-booking', version), async () => {
    await settlesWithin(closeTimeoutMs, provider.shutdown());
  });
}

/** What sends the telemetry. Also makes the SDK report its problems to the log. */
export async function resourceOf({ instanceId, version, log }: TracingOptions): Promise<Resource> {
  const [api, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/resources'),
  ]);
  api.diag.setLogger(diagnostics(log), { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });
  const ours = {
    'service.name': 'ticket-booking',
    'service.version': version,
    'service.instance.id': instanceId,
  };
  return (
    resources
      .defaultResource()
      .merge(resources.resourceFromAttributes(ours))
      // Attributes from the environment override our own.
      .merge(resources.detectResources({ detectors: [resources.envDetector] }))
  );
}

class OtelTracing implements TracingSource {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #current = new AsyncLocalStorage<SpanContext | undefined>();
  readonly close: () => Promise<void>;

  constructor(api: Api, tracer: Tracer, close: () => Promise<void>) {
    this.#api = api;
    this.#tracer = tracer;
    this.close = close;
  }

  current(): TraceContext | undefined {
    const current = this.#current.getStore();
    return current && traceparentOf(current);
  }

  within<T>(name: string, options: SpanOptions, work: (span: Span) => T): T {
    const span = this.#start(name, options);
    return this.#current.run(span.spanContext, () => {
      try {
        const result = work(span);
        if (result instanceof Promise) {
          result.then(
            () => span.end(),
            (error: unknown) => span.end(error),
          );
        } else span.end();
        return result;
      } catch (error) {
        span.end(error);
        throw error;
      }
    });
  }

  outside<T>(work: () => T): T {
    return this.#current.exit(work);
  }

  begin(name: string, options: SpanOptions): Span {
    return this.#start(name, options);
  }

  #start(name: string, { kind, parent, links = [], attributes = {} }: SpanOptions): StartedSpan {
    const api = this.#api;
    const above = parent === undefined ? this.#current.getStore() : parse(parent);
    const context: Context =
      above === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, above);
    const linked = links.map(parse).filter((each) => each !== undefined);
    const options = {
      kind: api.SpanKind[kinds[kind ?? 'internal']],
      attributes: { ...attributes },
      links: linked.map((each) => ({ context: each })),
    };
    const span = this.#tracer.startSpan(name, options, context);
    return new StartedSpan(span, api.SpanStatusCode.ERROR);
  }
}

const kinds = {
  internal: 'INTERNAL',
  server: 'SERVER',
  client: 'CLIENT',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
} as const;

class StartedSpan implements Span {
  readonly spanContext: SpanContext;
  readonly #span: OtelSpan;
  readonly #errorCode: number;

  constructor(span: OtelSpan, errorCode: number) {
    this.spanContext = span.spanContext();
    this.#span = span;
    this.#errorCode = errorCode;
  }

  get context(): TraceContext {
    return traceparentOf(this.spanContext);
  }

  set(attributes: Readonly<Record<string, string | number | boolean>>): void {
    this.#span.setAttributes({ ...attributes });
  }

  /** Records only the type of the error, because its message may contain what a client has sent. */
  end(error?: unknown): void {
    if (!this.#span.isRecording()) return;
    if (error !== undefined) {
      const type = error instanceof Error ? error.name : 'Error';
      this.#span.setStatus({ code: this.#errorCode, message: type });
      this.#span.setAttribute('error.type', type);
    }
    this.#span.end();
  }
}

const traceparent = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/;

/** Parses a `traceparent`. If the text is malformed, returns undefined, and a new trace begins. */
function parse(context: TraceContext): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceparent.exec(context) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): TraceContext {
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

/**
 * While a collector is unreachable, the SDK reports the problem with every batch. A repeated message is logged once.
 */
function diagnostics(log: Log) {
  const problems = new LogOnce();
  const report = (text: string) => {
    const said = text.slice(0, 200);
    problems.report(said, () => log.warn({ said }, 'OpenTelemetry has a complaint'));
  };
  const ignore = () => {};
  return { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore };
}
