import { LogView } from '@origami/demo-ui'
import { type DemoPage, isEnded } from '@origami/protocol/control'
import { useState } from 'react'
import { call } from '../../api.ts'
import { Failed } from '../../parts/failed.tsx'
import styles from '../../parts/parts.module.css'
import { DeploymentEntry } from './deployment-entry.tsx'
import { ListingButton, NewLinkButton, UnlistedLink } from './listing.tsx'
import { OwnerActions } from './owner-actions.tsx'
import { useLog } from './use-log.ts'

type Detail = NonNullable<DemoPage['detail']>

/** The owner's tab: the deployments, the log as it comes, and the buttons. */
export function Deployments({ page, detail, refresh }: { page: DemoPage; detail: Detail; refresh: () => void }) {
  const { text: log, error, retry } = useLog(page)
  const [find, setFind] = useState('')
  const [following, setFollowing] = useState(true)
  const lines =
    find === ''
      ? log
      : log
          .split('\n')
          .filter((line) => line.toLowerCase().includes(find.toLowerCase()))
          .join('\n')
  return (
    <div className={styles.stack}>
      <Buttons page={page} detail={detail} refresh={refresh} />
      <UnlistedLink page={page} />
      {detail.unisolated && (
        <p className={styles.mute}>This demo is not kept apart from its host: {detail.unisolated}.</p>
      )}
      <ul className={styles.list}>
        {detail.deployments.map((deployment, index) => (
          <DeploymentEntry
            key={deployment.id}
            deployment={deployment}
            serving={deployment.id === detail.serving}
            last={detail.deployments
              .slice(index + 1)
              .find(({ steps }) => steps.some(({ state }) => state === 'running'))}
          />
        ))}
      </ul>
      <div className={styles.row}>
        <h2 className={styles.grow}>Log</h2>
        <input
          className={styles.field}
          style={{ width: '12rem' }}
          type="search"
          aria-label="Find in the log"
          placeholder="Find…"
          value={find}
          onChange={({ target }) => setFind(target.value)}
        />
        <label className={styles.mute}>
          <input type="checkbox" checked={following} onChange={({ target }) => setFollowing(target.checked)} /> Follow
        </label>
        <a href={`/-/api/demos${page.address}/logs`} download={`${page.name}.log`}>
          Download
        </a>
      </div>
      {error && <Failed error={error} retry={retry} />}
      <LogView text={lines} follow={following} label="Log of this demo" />
    </div>
  )
}

function Buttons({ page, detail, refresh }: { page: DemoPage; detail: Detail; refresh: () => void }) {
  const { newest } = detail
  const underWay = newest !== null && newest.state !== 'running' && !isEnded(newest.state)
  const turn = page.state === 'stopped' || page.state === 'failed' ? startAction : stopAction
  const removal = {
    question: `Remove ${page.title}?`,
    detail: 'Its results, its log and its permalinks go with it. This cannot be undone.',
  }
  return (
    <OwnerActions page={page} refresh={refresh} removal={removal}>
      {({ act }) => {
        const button = ({ action, label }: OwnerAction) => (
          <button
            type="button"
            className={styles.button}
            data-primary={action === 'deploy'}
            onClick={() => act(() => call(`POST /-/api/demos/:account/:name/${action}`, { params: page }))}
          >
            {label}
          </button>
        )
        return (
          <>
            {button(deployAction)}
            {underWay && button(cancelAction)}
            {button(turn)}
            <ListingButton page={page} act={act} />
            <NewLinkButton page={page} act={act} />
          </>
        )
      }}
    </OwnerActions>
  )
}

/** A button of the owner: what the server is asked to do, and the label. */
interface OwnerAction {
  readonly action: 'deploy' | 'cancel' | 'start' | 'stop'
  readonly label: string
}
const deployAction: OwnerAction = { action: 'deploy', label: 'Deploy the newest commit' }
const cancelAction: OwnerAction = { action: 'cancel', label: 'Cancel' }
const startAction: OwnerAction = { action: 'start', label: 'Start' }
const stopAction: OwnerAction = { action: 'stop', label: 'Stop' }
