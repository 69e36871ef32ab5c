import type { DemoPage } from '@origami/protocol/control'
import { call } from '../../api.ts'
import styles from '../../parts/parts.module.css'
import { OwnerActions } from './owner-actions.tsx'

/** For the owner of a demo whose deploy never reached the daemon: buttons to deploy it, or to remove it. */
export function NotDeployed({ page, refresh }: { page: DemoPage; refresh: () => void }) {
  const removal = {
    question: `Remove ${page.title}?`,
    detail: 'Nothing was deployed of it, so nothing else goes with it.',
  }
  return (
    <OwnerActions page={page} refresh={refresh} removal={removal}>
      {({ busy, act }) => (
        <button
          type="button"
          className={styles.button}
          data-primary="true"
          disabled={busy}
          onClick={() => act(() => call('POST /-/api/demos/:account/:name/deploy', { params: page }))}
        >
          {busy ? 'Sending…' : 'Deploy'}
        </button>
      )}
    </OwnerActions>
  )
}
