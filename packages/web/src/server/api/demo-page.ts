import type { ServerEvent } from '@origami/host/send-events'
import type { DemoPage } from '@origami/protocol/control'
import { Gone } from '@origami/protocol/demo'
import type { FastifyRequest } from 'fastify'
import { type Context, controls, sees } from '../context.ts'
import { presentPage } from '../demos/present.ts'
import type { Owned } from '../store/demos.ts'

/**
 * A demo as the caller may see it, with what the daemon says now (for visitors, a few seconds ago), or with what is
 * stored while the daemon is away.
 */
export async function readDemoPage(
  { daemon, details }: Context,
  demo: Owned,
  request: FastifyRequest,
): Promise<DemoPage> {
  const mine = demo.account === request.who.account?.id
  const rights = { mine, controls: controls(request, demo) }
  if (demo.url) return presentPage(demo, rights, undefined)
  // It is read before the detail, so that a page never shows a deployment that is newer than its demo's state.
  const deployments = mine ? await daemon.deployments(demo.id).catch(unlessGone) : []
  const detail = await (rights.controls ? details.ask(demo.id) : details.get(demo.id)).catch(unlessGone)
  return presentPage(demo, rights, detail && { ...detail, deployments: deployments ?? [] })
}

/** Yields the page now and after each change of this demo, until the caller cannot see it any more. */
export async function* followDemoPage(
  context: Context,
  id: string,
  request: FastifyRequest,
  signal: AbortSignal,
): AsyncIterable<ServerEvent> {
  const { changed, demos } = context
  let sent = ''
  while (!signal.aborted) {
    const change = changed.next(id, signal)
    const demo = await demos.byId(id)
    if (!demo || !sees(context, request, demo)) return
    const now = await readDemoPage(context, demo, request)
    if (JSON.stringify(now) !== sent) yield { event: 'demo', data: now }
    sent = JSON.stringify(now)
    await change
  }
}

/** While the daemon is away, the stored data is used. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof Gone)) throw error
}
