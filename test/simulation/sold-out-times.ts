/** The periods in which each package was sold out. */
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

  /** Whether the package was sold out at any time in the interval. */
  wasSoldOut(packageId: number, from: number, to: number): boolean {
    return (this.#spans.get(packageId) ?? []).some((span) => span.from <= to && span.to >= from);
  }
}
