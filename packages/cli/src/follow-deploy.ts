import { setTimeout } from 'node:timers/promises'
import { type DemoPage, type Deployment, isEnded } from '@origami/protocol/control'
import type { Api } from './api.ts'
import { Failure } from './failure.ts'
import { patiently } from './patiently.ts'

const between = 500

/** A demo after a deployment of it was followed to its end, with that deployment or the one that superseded it. */
export interface FollowedDeploy {
  readonly page: DemoPage
  readonly deployment: Deployment | undefined
}

/**
 * Polls the demo until its newest deployment, or the one that superseded it, runs or has ended, and reports each step.
 * It waits up to a minute for a server that is away, and then throws Unreachable.
 */
export async function followDeploy(
  api: Pick<Api, 'call'>,
  made: DemoPage,
  tell: (line: string) => void,
): Promise<FollowedDeploy> {
  let id = made.detail?.newest?.id
  let reportedSteps = 0
  for (;;) {
    const page = await patiently(() => api.call('GET /-/api/demos/:account/:name', { params: made }))
    id ??= page.detail?.newest?.id
    const deployment = entryOf(page, id)
    for (const step of deployment?.steps.slice(reportedSteps) ?? []) tell(`${made.address}: ${step.state}`)
    reportedSteps = deployment?.steps.length ?? reportedSteps
    if (deployment?.state === 'superseded' && deployment.superseded_by !== null) {
      id = deployment.superseded_by
      reportedSteps = 0
      continue
    }
    const daemonAway = page.mine && !page.detail?.deployments.length
    if (deployment ? isSettled(deployment) : !daemonAway) return { page, deployment }
    await setTimeout(between)
  }
}

/** Whether a deployment ended without going live. One that a newer version has replaced since then was live. */
export const failedToGoLive = ({ state }: Deployment): boolean => isEnded(state) && state !== 'retired'

const isSettled = ({ state }: Deployment): boolean => state === 'running' || state === 'draining' || isEnded(state)

/**
 * Undefined while the daemon is away. Throws Failure when so many newer deployments exist that it is not listed any
 * more.
 */
function entryOf({ address, detail }: DemoPage, id: string | undefined): Deployment | undefined {
  const entry = detail?.deployments.find((one) => one.id === id)
  if (!entry && id !== undefined && detail?.deployments.length)
    throw new Failure(
      `${address} has many newer deployments, and this one is not listed any more; see origami status ${address}`,
    )
  return entry
}
