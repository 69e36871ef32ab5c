import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** What axe finds wrong on a page, by all its rules: each rule's name, and the elements that break it. */
export async function axeFinds(page: Page): Promise<[rule: string, elements: string[]][]> {
  // Our pages have no frames, so axe needs no second page to put together what it found in each; and only what is wrong
  // is reported.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
  return (await axe.analyze()).violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
}
