import type { DemoPage } from '@origami/protocol/control'
import { call } from '../../api.ts'
import styles from '../../parts/parts.module.css'
import { ListingButton, NewLinkButton, UnlistedLink } from './listing.tsx'
import { OwnerActions } from './owner-actions.tsx'

/** The owner's tab of a demo that runs elsewhere: how it is listed, and the buttons. */
export function OwnedElsewhere({ page, refresh }: { page: DemoPage; refresh: () => void }) {
  const removal = {
    question: `Take ${page.title} off the list?`,
    detail: 'Its page here goes; the demo itself runs on.',
  }
  return (
    <div className={styles.stack}>
      <p>
        It is asked once a minute at <a href={page.url ?? undefined}>{page.url}</a> whether it answers.
      </p>
      <UnlistedLink page={page} />
      <OwnerActions page={page} refresh={refresh} removal={removal}>
        {({ busy, act }) => (
          <>
            <button
              type="button"
              className={styles.button}
              data-primary="true"
              disabled={busy}
              onClick={() => act(() => call('POST /-/api/demos/:account/:name/check', { params: page }))}
            >
              {busy ? 'Asking…' : 'Ask now'}
            </button>
            <ListingButton page={page} act={act} />
            <NewLinkButton page={page} act={act} />
          </>
        )}
      </OwnerActions>
    </div>
  )
}
