/** A place in a trace as a W3C `traceparent` header says it: `00-<trace id>-<span id>-<flags>`. */
export type TraceContext = string;

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** As OpenTelemetry has them; `internal` where absent. */
  readonly kind?: 'server' | 'client' | 'producer' | 'consumer';
  /** Where it belongs, if not below the present span. */
  readonly parent?: TraceContext | undefined;
  /** Others that it works for as well. */
  readonly links?: readonly TraceContext[];
  /** Never an email, nor an address with a query. */
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** Undefined when nothing is traced. */
  readonly context: TraceContext | undefined;
  set(attributes: SpanAttributes): void;
  /** Repeating it is harmless. */
  end(error?: unknown): void;
}

/**
 * Distributed traces (https://www.w3.org/TR/trace-context/). What runs below a span, asynchronously too, finds it as
 * the present one; what crosses a mailbox or a network takes its context along. Never throws but what `work` throws.
 */
export interface Tracing {
  /** The context of the present span. Undefined when nothing is traced: then nothing else need be called. */
  current(): TraceContext | undefined;
  /** Does `work` within a span, which ends with it, or when its promise settles. */
  within<T>(name: string, options: SpanOptions, work: (span: Span) => T): T;
  /** Does `work` with no span present: for what goes on after the one who happened to start it is done. */
  outside<T>(work: () => T): T;
  /** A span that does not become the present one. */
  begin(name: string, options: SpanOptions): Span;
}

const noSpan: Span = { context: undefined, set() {}, end() {} };

/** Traces nothing, and changes nothing of how work runs. */
export const noTracing: Tracing = {
  current: () => undefined,
  within: (_name, _options, work) => work(noSpan),
  outside: (work) => work(),
  begin: () => noSpan,
};
