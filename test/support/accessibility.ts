import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';

export interface AccessibilityViolation {
  /** The name of axe's rule. */
  readonly id: string;
  /** The markup of each element that breaks it. */
  readonly at: readonly string[];
}

/** Violations of axe's rules in a page, outside of the elements that `exclude` selects. The page needs JavaScript. */
export async function accessibilityViolations(
  page: Page,
  { exclude }: { readonly exclude?: string } = {},
): Promise<readonly AccessibilityViolation[]> {
  // Our pages have no frames. Without legacy mode axe opens a second page to join the frames' results.
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  if (exclude !== undefined) axe.exclude(exclude);
  const { violations } = await axe.analyze();
  return violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html) }));
}
