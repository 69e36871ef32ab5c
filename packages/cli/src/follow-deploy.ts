import { setTimeout } from 'node:timers/promises'
import { type DemoPage, isEnded } from '@origami/protocol/control'
import type { Api } from './api.ts'
import { patiently } from './patiently.ts'

const between = 500

/**
 * Asks for the demo until its newest deployment runs or ended, telling each step as it comes. A server that is away meanwhile is waited for, for a minute.
 * Throws Unreachable after it.
 */
export async function followDeploy(api: Pick<Api, 'json'>, made: DemoPage, tell: (line: string) => void): Promise<DemoPage> {
  const deployment = made.detail?.newest?.id
  let told = 0
  for (;;) {
    const page = await patiently(() => api.json<DemoPage>('GET', `/-/api/demos${made.address}`))
    const newest = page.detail?.newest
    const followed = page.detail?.deployments.find((entry) => entry.id === deployment) ?? newest
    for (const step of followed?.steps.slice(told) ?? []) tell(`${made.address}: ${step.state}`)
    told = followed?.steps.length ?? told
    const daemonAway = page.mine && !page.detail
    if (!daemonAway && (!followed || followed.state === 'running' || isEnded(followed.state))) return page
    await setTimeout(between)
  }
}
