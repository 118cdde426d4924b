/** When each package was sold out. */
export class SoldOutTimes {
  readonly #spans = new Map<number, { readonly from: number; to: number }[]>();

  note(packageId: number, isNow: boolean, now: number): void {
    const spans = this.#spans.get(packageId) ?? [];
    this.#spans.set(packageId, spans);
    const last = spans.at(-1);
    const isOpen = last?.to === Number.POSITIVE_INFINITY;
    if (isNow && !isOpen) spans.push({ from: now, to: Number.POSITIVE_INFINITY });
    if (!isNow && isOpen && last !== undefined) last.to = now;
  }

  /** Whether it was at any moment between the two. */
  wasSoldOut(packageId: number, from: number, to: number): boolean {
    return (this.#spans.get(packageId) ?? []).some((span) => span.from <= to && span.to >= from);
  }
}
