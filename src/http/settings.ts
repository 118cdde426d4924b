export interface HttpSettings {
  readonly instanceId: string;
  /** Signs cookies and links. */
  readonly secret: string;
  /** ISO 4217 code, for prices. */
  readonly currency: string;
  /** Without it nobody may cancel at the simulated suppliers or read their ledger, and every key is made public. */
  readonly suppliersToken?: string;
  /** `https://tickets.example`: the only origin that forms and sockets may come from, besides the request's own host. */
  readonly publicOrigin?: string;
}
