/** A supplier's answer, read to its end. */
export interface SupplierReply {
  readonly status: number;
  /** Undefined for an empty body. */
  readonly json: unknown;
}

/**
 * Reads an answer's body as JSON.
 * @throws Error when it is longer than `bytesMax`, cut off, not JSON, or does not claim to be.
 */
export async function read(response: Response, bytesMax: number): Promise<SupplierReply> {
  const { status } = response;
  const bytes = await readBytes(response, bytesMax);
  if (bytes.length === 0) return { status, json: undefined };
  // Said by a gateway in between, which speaks HTML: its status is all there is to know.
  if (status >= 500) return { status, json: undefined };
  const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? 'none';
  if (!/^application\/(\S+\+)?json$/.test(type)) {
    throw new Error(`status ${status} with the content type ${type.slice(0, 60)} instead of JSON`);
  }
  try {
    return { status, json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    throw new Error(`status ${status} with a body that is not JSON`);
  }
}

async function readBytes({ body, status }: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > bytesMax) throw new Error(`status ${status} with a body of more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What went wrong in words: `fetch` itself says only that it failed, and hides the reason one level below. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause instanceof Error ? error.cause : undefined;
  const code = (below as NodeJS.ErrnoException | undefined)?.code;
  const reason = code ?? below?.message;
  return reason ? `${error.message} (${reason})` : error.message;
}
