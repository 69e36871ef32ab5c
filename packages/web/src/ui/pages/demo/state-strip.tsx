import { Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'

/** Tells visitors and the owner about the state of a demo that is not simply live. */
export function StateStrip({ page }: { page: DemoPage }) {
  const { reason, newest } = page.detail ?? {}
  switch (page.state) {
    case 'running':
      if (page.mine && newest?.state === 'queued' && newest.reason)
        return <Strip kind="busy">{newest.reason} Until then the version before serves on.</Strip>
      return page.detail && failedSince(page) ? (
        <Strip kind="wrong">
          The newest version did not come live: {page.detail.newest?.reason}. The one before serves on.
        </Strip>
      ) : null
    case 'building':
    case 'waiting':
      return (
        <Strip kind="busy">
          {page.schema
            ? 'It is being started; what you send now waits its turn.'
            : 'It is being built for the first time.'}
          {page.mine && page.state === 'waiting' && reason ? ` ${reason}` : ''}
        </Strip>
      )
    case 'stopped':
      return <Strip kind="note">Its owner has stopped it.</Strip>
    case 'elsewhere':
      return null
    case 'unreachable':
      return (
        <Strip kind="wrong">It runs on its author's own server, which did not answer when it was asked last.</Strip>
      )
    case 'undeployed':
      return <Strip kind="note">It is not deployed yet: the daemon was away when it should have been.</Strip>
    case 'not_linked':
      return <Strip kind="wrong">{page.mine ? reason : 'It is not ready yet.'}</Strip>
    case 'failed':
      return (
        <Strip kind="wrong">
          {page.mine ? `It could not be started: ${reason ?? 'see the log'}` : 'It is not working just now.'}
        </Strip>
      )
  }
}

const failedSince = ({ detail }: DemoPage): boolean =>
  detail?.newest?.reason != null &&
  detail.newest.id !== detail.serving &&
  !['queued', 'superseded', 'canceled', 'retired', 'stopped'].includes(detail.newest.state)

/** Why Run does nothing now. Undefined when it works. */
export function blockedBy({ state }: DemoPage): string | undefined {
  if (state === 'stopped') return 'Stopped'
  if (state === 'undeployed') return 'Not deployed yet'
  return state === 'failed' || state === 'not_linked' ? 'Not working' : undefined
}
