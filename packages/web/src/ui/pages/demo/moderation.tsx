import type { DemoPage } from '@origami/protocol/control'
import { call } from '../../api.ts'
import styles from '../../parts/parts.module.css'
import { ListingButton } from './listing.tsx'
import { OwnerActions } from './owner-actions.tsx'

/** What the owner of this server may do about a demo of somebody else. */
export function Moderation({ page, refresh }: { page: DemoPage; refresh: () => void }) {
  const removal = {
    question: `Remove ${page.title} of ${page.account}?`,
    detail: 'Its results, its log and its permalinks go with it. This cannot be undone.',
  }
  const stops = page.url === null && page.state !== 'stopped' && page.state !== 'undeployed'
  return (
    <div className={styles.stack}>
      <p>
        You run this server, so you may stop, hide and remove this demo of{' '}
        <a href={`/${page.account}`}>{page.account}</a>. They may start it again and make it public while they may
        deploy here; <code>origami deployers remove</code> takes that away.
      </p>
      {!page.public && <p className={styles.mute}>It is unlisted: only its owner, who has its link, and you see it.</p>}
      <OwnerActions page={page} refresh={refresh} removal={removal}>
        {({ act }) => (
          <>
            {stops && (
              <button
                type="button"
                className={styles.button}
                onClick={() => act(() => call('POST /-/api/demos/:account/:name/stop', { params: page }))}
              >
                Stop
              </button>
            )}
            {page.public && <ListingButton page={page} act={act} />}
          </>
        )}
      </OwnerActions>
    </div>
  )
}
