/** A span's identity as a W3C `traceparent` header: `00-<trace id>-<span id>-<flags>`. */
export type TraceContext = string;

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** OpenTelemetry's span kind; default `internal`. */
  readonly kind?: 'server' | 'client' | 'producer' | 'consumer';
  /** The parent of the span. Default: the current span. */
  readonly parent?: TraceContext | undefined;
  /** Other spans that this span does work for. */
  readonly links?: readonly TraceContext[];
  /** Must not contain an email, or a URL with a query. */
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** The identity of the span. */
  readonly context: TraceContext;
  set(attributes: SpanAttributes): void;
  /** Ends the span. Further calls have no effect. */
  end(error?: unknown): void;
}

/**
 * Distributed traces (https://www.w3.org/TR/trace-context/). Code that runs within a span, also asynchronously, has
 * this span as its current span. A message in a mailbox or on the network carries the span's context. Throws only
 * errors that `work` throws.
 */
export interface Tracing {
  /** The context of the current span; undefined if there is none. */
  current(): TraceContext | undefined;
  /** Runs `work` in a span. The span ends when `work` returns, or when its promise settles. */
  within<T>(name: string, options: SpanOptions, work: (span: Span) => T): T;
  /** Runs `work` without a current span. Use it for work that continues after the span that starts the work. */
  outside<T>(work: () => T): T;
  /** Starts a span without making it the current one. */
  begin(name: string, options: SpanOptions): Span;
}
