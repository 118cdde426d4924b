import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span as OtelSpan, SpanContext, Tracer } from '@opentelemetry/api';
import type { Log } from './log.ts';
import type { Span, SpanOptions, TraceContext, Tracing } from './tracing.ts';

export interface TracingSource extends Tracing {
  /** Sends what is still to be sent, for two seconds at most. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly instanceId: string;
  readonly version: string;
  readonly log: Log;
}

type Api = typeof import('@opentelemetry/api');

const closeMs = 2_000;

/**
 * Traces by OpenTelemetry, sent as OTLP over HTTP (JSON). Where to, how many, and as what is read by its SDK from the
 * standard variables (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), of which
 * nothing is loaded before this is called.
 */
export async function createTracing({ instanceId, version, log }: TracingOptions): Promise<TracingSource> {
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  api.diag.setLogger(sayingOnce(log), api.DiagLogLevel.WARN);
  const ours = {
    'service.name': 'ticket-booking',
    'service.version': version,
    'service.instance.id': instanceId,
  };
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes(ours))
    // What the environment says goes before what we say.
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const processor = new sdk.BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new sdk.NodeTracerProvider({ resource, spanProcessors: [processor] });
  return new OtelTracing(api, provider.getTracer('ticket-booking', version), async () => {
    const late = new Promise<void>((resolve) => setTimeout(resolve, closeMs).unref());
    await Promise.race([provider.shutdown().catch(() => {}), late]);
  });
}

class OtelTracing implements TracingSource {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #present = new AsyncLocalStorage<SpanContext | undefined>();
  readonly close: () => Promise<void>;

  constructor(api: Api, tracer: Tracer, close: () => Promise<void>) {
    this.#api = api;
    this.#tracer = tracer;
    this.close = close;
  }

  current(): TraceContext | undefined {
    const present = this.#present.getStore();
    return present && written(present);
  }

  within<T>(name: string, options: SpanOptions, work: (span: Span) => T): T {
    const span = this.#start(name, options);
    return this.#present.run(span.place, () => {
      try {
        const result = work(span);
        if (!(result instanceof Promise)) {
          span.end();
          return result;
        }
        return result.then(
          (value: unknown) => {
            span.end();
            return value;
          },
          (error: unknown) => {
            span.end(error);
            throw error;
          },
        ) as T;
      } catch (error) {
        span.end(error);
        throw error;
      }
    });
  }

  outside<T>(work: () => T): T {
    return this.#present.exit(work);
  }

  begin(name: string, options: SpanOptions): Span {
    return this.#start(name, options);
  }

  #start(name: string, { kind, parent, links = [], attributes = {} }: SpanOptions): StartedSpan {
    const api = this.#api;
    const above = parent === undefined ? this.#present.getStore() : read(parent);
    const context: Context =
      above === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, above);
    const linked = links.map(read).filter((place) => place !== undefined);
    const otelKind = kind === undefined ? api.SpanKind.INTERNAL : api.SpanKind[upper[kind]];
    const span = this.#tracer.startSpan(
      name,
      { kind: otelKind, attributes: { ...attributes }, links: linked.map((place) => ({ context: place })) },
      context,
    );
    return new StartedSpan(span, api.SpanStatusCode.ERROR);
  }
}

const upper = { server: 'SERVER', client: 'CLIENT', producer: 'PRODUCER', consumer: 'CONSUMER' } as const;

class StartedSpan implements Span {
  readonly place: SpanContext;
  readonly #span: OtelSpan;
  readonly #errorCode: number;

  constructor(span: OtelSpan, errorCode: number) {
    this.place = span.spanContext();
    this.#span = span;
    this.#errorCode = errorCode;
  }

  get context(): TraceContext {
    return written(this.place);
  }

  set(attributes: Readonly<Record<string, string | number | boolean>>): void {
    this.#span.setAttributes({ ...attributes });
  }

  /** Only what kind of error it was: its message may repeat what somebody has sent. */
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

const form = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/;

/** Undefined for what is no context: then a new trace begins. */
function read(context: TraceContext): SpanContext | undefined {
  const [, traceId, spanId, flags] = form.exec(context) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

function written({ traceId, spanId, traceFlags }: SpanContext): TraceContext {
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

/** While a collector is away the SDK says so with every batch: once is enough, until it says something else. */
function sayingOnce(log: Log) {
  let said = '';
  const say = (message: string) => {
    const words = message.slice(0, 200);
    if (words === said) return;
    said = words;
    log.warn({ said: words }, 'OpenTelemetry has a complaint');
  };
  const ignore = () => {};
  return { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore };
}
